"""Alert rules: what they say, what a window shows, what follows. Pure: the clock comes in."""
