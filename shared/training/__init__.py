"""Exports of training rows: what a row is, what is hidden in it, and the files it becomes."""
