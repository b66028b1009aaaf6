"""Tests on real Kafka, Postgres and Redis."""
