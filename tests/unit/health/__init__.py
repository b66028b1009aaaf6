"""How a model is: limits, verdicts, and what becomes of them."""
