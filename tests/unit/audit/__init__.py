"""The audit chain, without any server."""
