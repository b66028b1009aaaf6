"""The pure rooms of metrics."""
