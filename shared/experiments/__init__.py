"""A/B experiments: what is asked, how they live, and who gets which variant. Pure."""
