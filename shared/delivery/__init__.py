"""Fenced consumption: data and position move in one atomic step."""
