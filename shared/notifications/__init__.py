"""Who is told of alerts, and when not: channels, silences, and where we may send."""
