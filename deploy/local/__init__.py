"""Kafka, Postgres and Redis on this machine, for people who have none at hand."""
