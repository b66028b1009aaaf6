"""notify: tells people and their systems of alerts and A/B tests, once each, with a log."""
