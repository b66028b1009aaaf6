"""What metrics does: takes events in, keeps views, joins waiting feedback."""
