"""Statistics that need heavy libraries: a process of its own reckons them, and ends when idle."""
