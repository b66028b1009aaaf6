"""SQL of notify."""
