"""Where abtest's numbers stay."""
