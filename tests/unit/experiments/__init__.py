"""Experiments: the formulas against other libraries, at their edges, and by simulation."""
