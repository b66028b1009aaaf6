"""Postgres, as notify sees it."""
