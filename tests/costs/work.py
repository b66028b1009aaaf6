"""Run under cachegrind: each part of an event's way, in a child of its own that did nothing else.

Prints `<process> <part> <times>` for each; what a child executed is in cachegrind's log of it.
"""

import gc
import os
import sys
from collections.abc import Callable
from datetime import timedelta
from json import loads

from services.abtest.domain.memory import Memory
from services.abtest.domain.results import results
from services.metrics.domain.batch import Increments, digest, increments, read_batch
from shared.codec import LOG_APPEND_TIME, Record, decode, microseconds
from shared.events.operation import OperationEvent
from shared.measures.cells import merged
from shared.measures.summary import summarise
from shared.proof import Proofs
from tests.support.abtests import NOON, successes
from tests.support.events import encoded, operation
from tests.support.records import record

EVENTS = 500
"""Of a batch: as many as one read of a partition brings under load."""
TOPIC = "ai.operations.v1"
PROOFS = Proofs({"1": b"a" * 32})
NOW_US = microseconds(NOON)


def _value(number: int) -> bytes:
    at = NOON - timedelta(seconds=number % 240)
    return encoded(operation(number, occurred_at=at.isoformat()))


VALUES = [_value(number) for number in range(EVENTS)]


def _record(value: bytes) -> Record:
    """Its tenant is proven, and its time is the broker's."""
    proof = PROOFS.header(TOPIC, "acme", value)
    stamps = {"timestamp": NOW_US // 1000, "timestamp_type": LOG_APPEND_TIME}
    return record(value, [proof], topic=TOPIC, key=b"k", **stamps)


RECORDS = [_record(value) for value in VALUES]
READ = read_batch(OperationEvent, RECORDS, {"acme"}, NOW_US, None).events


def batch() -> Increments:
    """What metrics adds of these events."""
    return increments(READ, [digest(one) for one in READ], (), 0, lambda _: 123)


CELL = merged(batch().cells.values())
EXPERIMENT = successes((3_000, 0.9), (3_000, 0.92))


def _json() -> None:
    for value in VALUES:
        loads(value)


def _codec() -> None:
    for one in RECORDS:
        decode(OperationEvent, one, NOW_US, None)


def _codec_signed() -> None:
    for one in RECORDS:
        decode(OperationEvent, one, NOW_US, PROOFS)


def _summary() -> None:
    for _ in range(EVENTS):
        summarise(CELL, 300)


def _verdict() -> None:
    for _ in range(EVENTS // 50):
        results(EXPERIMENT, Memory(), NOON)


PARTS: dict[str, tuple[Callable[[], object], int]] = {
    "json": (_json, EVENTS),
    "codec": (_codec, EVENTS),
    "codec_signed": (_codec_signed, EVENTS),
    "fold": (batch, EVENTS),
    "summary": (_summary, EVENTS),
    "verdict": (_verdict, EVENTS // 50),
}
"""A part, and how many events, summaries or looks one call of it works on."""


def main() -> None:
    """Each part once so that all is loaded, then each in a child: a call more than none."""
    for act, _ in PARTS.values():
        act()
    gc.freeze()
    gc.disable()
    for name, (act, many) in PARTS.items():
        for times in (0, many):
            child = os.fork()
            if child == 0:
                if times:
                    act()
                os._exit(0)
            _, status = os.waitpid(child, 0)
            if status:
                sys.exit(f"{name} ended with {status}")
            print(child, name, times, flush=True)


if __name__ == "__main__":
    main()
