"""Strangers: they know the program and the contract, and import nothing of the code."""
