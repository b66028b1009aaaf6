"""What is asked of servers and of this machine; each answers facts, or why there are none."""
