"""Delivery against real stores."""
