"""What metrics keeps in Redis: cells behind fences, and the views made of them."""
