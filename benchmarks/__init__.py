"""What Assay costs, as ratios to ceilings and peers measured in the same run."""
