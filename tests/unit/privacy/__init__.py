"""Erasure, without any store."""
