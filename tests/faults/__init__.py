"""Processes are killed; the numbers stay right."""
