"""The `assay` program, the local stack, migrations and set-up jobs."""
