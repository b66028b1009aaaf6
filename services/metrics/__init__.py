"""metrics: live aggregates.

Consumes operations and feedback as group `metrics`; keeps minute and hour cells in Redis, behind
the fence of each partition, and from them the views that the gateway serves. It runs on while
Postgres is away, which it asks only for tenants and for the operations of model-less feedback.
"""
