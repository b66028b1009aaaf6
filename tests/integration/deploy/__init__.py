"""What containers run, run here as containers would run it."""
