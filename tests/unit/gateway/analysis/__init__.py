"""Analysis of feedback."""
