"""SQL of ingest: one function per statement, each inside the caller's transaction."""
