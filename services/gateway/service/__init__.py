"""What the gateway does: admit, take in, answer."""
