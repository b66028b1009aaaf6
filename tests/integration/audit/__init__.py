"""The audit chain on a real Postgres."""
