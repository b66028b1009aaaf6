"""What feedback knows without I/O: what a comment says of an answer, and what a row is worth."""
