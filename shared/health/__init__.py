"""How a model is: limits, measures, a verdict of one look, and what becomes of it over time."""
