"""Erasure on real stores."""
