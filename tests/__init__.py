"""Everything that proves Assay right."""
