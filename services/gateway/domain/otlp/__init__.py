"""OpenTelemetry's spans and log records as our events: `judging` is the way in.

The names of the conventions stand in `names`; docs/otlp.md tells users the same.
"""
