"""The services: each consumes or serves on its own, and meets others in topics and stores only."""
