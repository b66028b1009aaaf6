"""What feedback does with what it is told. So far: whose scorer reads the comments."""
