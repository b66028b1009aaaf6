"""notify: tells people and their systems of alerts, once each, and keeps a log of it."""
