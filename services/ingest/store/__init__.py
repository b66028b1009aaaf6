"""Where ingest keeps what it reads, and how it lets go of it."""
