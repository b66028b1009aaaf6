"""Reading records, and what the proof of their tenant costs."""

import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from benchmarks.servers import Servers, events
from shared.codec import decode, microseconds
from shared.events.operation import OperationEvent
from shared.proof import Proofs

EVENTS = 50_000
ROUNDS = 5
TOPIC = "ai.operations.v1"


async def codec(_: Servers) -> dict[str, Any]:
    """Records per second of CPU: the best of some rounds, open and signed by turns."""
    proofs = Proofs({"1": b"a" * 32})
    records = [_record(value, proofs) for _, value in events(EVENTS)]
    best = {"codec": 0.0, "codec_signed": 0.0}
    for _ in range(ROUNDS):
        for name, given in (("codec", None), ("codec_signed", proofs)):
            best[name] = max(best[name], _rate(records, given))
    return best


def _rate(records: list[Any], proofs: Proofs | None) -> float:
    now_us = microseconds(datetime.now(UTC))
    started = time.process_time()
    for record in records:
        decode(OperationEvent, record, now_us, proofs)
    return len(records) / (time.process_time() - started)


def _record(value: bytes, proofs: Proofs) -> Any:
    """The headers are there either way: what they cost to look at is no part of the proof."""
    headers = [proofs.header(TOPIC, "acme", value)]
    coordinates = {"topic": TOPIC, "partition": 0, "offset": 0, "key": b"k"}
    stamps = {"timestamp": 0, "timestamp_type": 0}
    return SimpleNamespace(**coordinates, **stamps, value=value, headers=headers)
