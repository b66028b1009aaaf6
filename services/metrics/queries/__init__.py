"""SQL of metrics: tenants, the series of operations, what its cells are rebuilt from."""
