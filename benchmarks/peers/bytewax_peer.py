"""The peer, run by its own Python: a windowed count, mean and max per model, until all is read.

Usage: bytewax_peer.py BOOTSTRAP TOPIC; prints {"events": in its windows, "seconds": since the first
record came}. Nothing is validated or deduplicated, and all state is in memory.
"""

import json
import sys
import time
from datetime import UTC, datetime, timedelta

import bytewax.operators as op
import orjson
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.operators.windowing import EventClock, TumblingWindower, fold_window
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main

bootstrap, topic = sys.argv[1:3]
seen = {"began": 0.0, "events": 0}


def read(message):
    """Model, and what is asked of its event."""
    seen["began"] = seen["began"] or time.perf_counter()
    event = orjson.loads(message.value)
    return event["model_id"], (
        datetime.fromisoformat(event["occurred_at"]),
        event["response_time_ms"],
    )


def fold(state, event):
    """Count, sum and largest."""
    return state[0] + 1, state[1] + event[1], max(state[2], event[1])


def merge(one, other):
    """Of windows that meet; tumbling ones never do."""
    return one[0] + other[0], one[1] + other[1], max(one[2], other[2])


class Answers(DynamicSink, StatelessSinkPartition):
    """Takes windows."""

    def build(self, *_):
        """One for all."""
        return self

    def write_batch(self, items):
        """Count what is in them."""
        seen["events"] += sum(state[0] for _, (_, state) in items)


flow = Dataflow("peer")
records = op.input("read", flow, KafkaSource([bootstrap], [topic], tail=False, batch_size=4_000))
windows = fold_window(
    "minutes",
    op.map("key", records, read),
    EventClock(lambda event: event[0], wait_for_system_duration=timedelta(minutes=10)),
    TumblingWindower(timedelta(minutes=1), datetime(2026, 1, 1, tzinfo=UTC)),
    lambda: (0, 0.0, 0.0),
    fold,
    merge,
    ordered=False,
)
op.output("answer", windows.down, Answers())
run_main(flow)
print(json.dumps({"events": seen["events"], "seconds": time.perf_counter() - seen["began"]}))
