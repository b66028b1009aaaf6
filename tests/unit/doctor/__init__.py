"""Judgements of the doctor, by facts."""
