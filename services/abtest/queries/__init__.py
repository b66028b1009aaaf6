"""SQL of abtest, one module per family of tables."""
