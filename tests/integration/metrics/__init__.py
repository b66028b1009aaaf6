"""Metrics on real Kafka, Redis and Postgres."""
