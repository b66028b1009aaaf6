"""The client, without a broker."""
