"""What notify knows without I/O: who is to be told what, when, and in which words."""
