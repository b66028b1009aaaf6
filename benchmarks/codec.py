"""Reading records, and what the proof of their tenant costs."""

import time
from datetime import UTC, datetime
from typing import Any

from benchmarks.servers import Servers, events
from shared.codec import Record, decode, microseconds
from shared.events.operation import OperationEvent
from shared.proof import Proofs
from tests.support.records import record

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
    for one in records:
        decode(OperationEvent, one, now_us, proofs)
    return len(records) / (time.process_time() - started)


def _record(value: bytes, proofs: Proofs) -> Record:
    """The headers are there either way: what they cost to look at is no part of the proof."""
    return record(value, [proofs.header(TOPIC, "acme", value)], topic=TOPIC, key=b"k")
