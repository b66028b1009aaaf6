"""The gateway on real Kafka, Postgres and Redis."""
