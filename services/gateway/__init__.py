"""gateway: the way in over HTTP, and the way to ask.

Consumes nothing. Publishes events and steps of A/B tests to Kafka; reads live views from Redis, and
operations and minutes from Postgres as `svc_api`, under row level security. It tells
the audit log whatever it changes there.
"""
