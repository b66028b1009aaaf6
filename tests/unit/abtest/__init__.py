"""From the sums of a test to its verdict and its sentence."""
