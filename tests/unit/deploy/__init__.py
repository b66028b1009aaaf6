"""What people deploy by: files that no program of ours reads."""
