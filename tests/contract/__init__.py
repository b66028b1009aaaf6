"""What the outside relies on."""
