"""The dashboard: pages for people, made here of what the same services answer to programs."""
