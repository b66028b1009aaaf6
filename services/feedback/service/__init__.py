"""What feedback does with what it is told."""
