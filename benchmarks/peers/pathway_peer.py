"""The peer, run by its own Python: a windowed count, mean and max per model, until all is read.

Usage: pathway_peer.py BOOTSTRAP TOPIC; prints {"events": in its windows, "seconds": of the whole
run}. Nothing is validated or deduplicated, and all state is in memory.
"""

import json
import os
import sys
import time

import pathway as pw

bootstrap, topic = sys.argv[1:3]


class Operation(pw.Schema):
    """What is asked of an event."""

    model_id: str
    occurred_at: str
    response_time_ms: float


settings = {
    "bootstrap.servers": bootstrap,
    "group.id": f"pathway-{time.time_ns()}",
    "auto.offset.reset": "earliest",
}
events = pw.io.kafka.read(settings, topic, schema=Operation, format="json", mode="static")
timed = events.select(
    events.model_id,
    events.response_time_ms,
    at=events.occurred_at.dt.strptime("%Y-%m-%dT%H:%M:%S.%f%z"),
)
windows = timed.windowby(
    timed.at, window=pw.temporal.tumbling(duration=pw.Duration(minutes=1)), instance=timed.model_id
).reduce(
    count=pw.reducers.count(),
    mean=pw.reducers.avg(pw.this.response_time_ms),
    most=pw.reducers.max(pw.this.response_time_ms),
)
counts = {}


def keep(key, row, time, is_addition):
    """The latest answer of each window."""
    if is_addition:
        counts[key] = row["count"]


pw.io.subscribe(windows, on_change=keep)
began = time.perf_counter()
pw.run(monitoring_level=pw.MonitoringLevel.NONE)
seconds = time.perf_counter() - began
print(json.dumps({"events": sum(counts.values()), "seconds": seconds}), flush=True)
os._exit(0)  # its threads take their time to end
