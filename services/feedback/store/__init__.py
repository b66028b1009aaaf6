"""Where feedback's work stays."""
