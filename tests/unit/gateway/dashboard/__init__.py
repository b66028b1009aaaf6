"""Pages, without a gateway."""
