"""abtest under fire: its traffic, its processes, and what it must come to, reckoned anew."""
