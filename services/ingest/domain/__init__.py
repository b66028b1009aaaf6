"""What ingest makes of records: rows, dead letters, verdicts. Pure."""
