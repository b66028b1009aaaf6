"""The client on real Kafka."""
