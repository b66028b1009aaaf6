"""The pure rooms of the gateway."""
