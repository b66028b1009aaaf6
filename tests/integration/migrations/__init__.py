"""The schema on real Postgres."""
