"""The rooms that every service shares."""
