"""What is said on the bus: one module per event."""
