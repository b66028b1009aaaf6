"""Tests of the way to the servers: TLS, names, rights."""
