"""Sentiment and aspects of a comment, without I/O but for the files in this folder."""
