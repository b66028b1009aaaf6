"""What abtest makes of events: candidates, units, sums; and what is read back of them. Pure."""
