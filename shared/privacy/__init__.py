"""Erasure: marks that every consumer reads, and the work that each service has with them."""
