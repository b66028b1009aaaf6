"""Ingest on real Kafka and Postgres."""
