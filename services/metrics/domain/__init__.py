"""What metrics makes of events: increments, window sums, answers. Pure."""
