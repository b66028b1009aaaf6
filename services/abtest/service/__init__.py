"""What abtest does."""
