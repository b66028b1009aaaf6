"""The peer, run by its own Python: a windowed count, mean and max per model, until all is read.

Usage: quix_peer.py BOOTSTRAP TOPIC GUARANTEE EVENTS STATE_DIR; prints {"events": that it read,
"rate": events per second}. The topic's keys are models: to group anew would cost it another topic.
"""

import json
import sys
import time
from datetime import datetime, timedelta

from quixstreams import Application
from quixstreams.dataframe.windows import Count, Max, Mean

bootstrap, topic_name, guarantee, events, state_dir = sys.argv[1:6]
app = Application(
    broker_address=bootstrap,
    consumer_group=f"quix-{time.time_ns()}",
    auto_offset_reset="earliest",
    processing_guarantee=guarantee,
    state_dir=state_dir,
    loglevel="ERROR",
    auto_create_topics=True,
)


def occurred(value, headers, timestamp, timestamp_type):
    """Milliseconds since 1970: windows are of the time that an event says, as ours are."""
    return int(datetime.fromisoformat(value["occurred_at"]).timestamp() * 1000)


topic = app.topic(topic_name, value_deserializer="json", timestamp_extractor=occurred)
frame = app.dataframe(topic)
seen = [0, 0.0, 0.0]


def count(value):
    """Note the first and every record."""
    if not seen[0]:
        seen[1] = time.perf_counter()
    seen[0] += 1
    seen[2] = time.perf_counter()
    return value


frame = frame.update(count)
frame = (
    frame.tumbling_window(timedelta(minutes=1), grace_ms=timedelta(minutes=10))
    .agg(
        count=Count(),
        mean=Mean("response_time_ms"),
        max=Max("response_time_ms"),
    )
    .final()
)
app.run(count=int(events), timeout=20)
print(json.dumps({"events": seen[0], "rate": seen[0] / (seen[2] - seen[1])}))
