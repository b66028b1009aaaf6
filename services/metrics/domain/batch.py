"""One partition's batch as increments of cells."""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from services.metrics.domain.waiting import Waiting, encode_waiting
from shared.codec import Record, decode
from shared.errors import InvalidRecordError
from shared.events.base import Event
from shared.events.feedback import FeedbackEvent
from shared.events.operation import OperationEvent
from shared.measures.cells import Cells, Series
from shared.measures.fold import fold_feedback, fold_operations, named_series_of
from shared.measures.identity import digest_of
from shared.proof import Proofs

BUCKET_S = 3600

Price = Callable[[OperationEvent], int | None]
Timed = tuple[Event, int]
"""An event, and its time in microseconds since 1970."""


class Read(NamedTuple):
    """Records of a batch after decoding."""

    events: list[Timed]
    strangers: list[Timed]
    """Events of tenants nobody knows yet."""
    invalid: int


@dataclass(slots=True)
class Increments:
    """What a batch adds to one partition."""

    bucket: int
    seen: list[bytes] = field(default_factory=list)
    cells: Cells = field(default_factory=dict)
    waiting: dict[bytes, bytes] = field(default_factory=dict)
    accepted: int = 0
    duplicates: int = 0
    invalid: int = 0


def read_batch(
    model: type[Event],
    records: Sequence[Record],
    tenants: Container[str],
    now_us: int,
    proofs: Proofs | None,
) -> Read:
    """Decode a batch; what cannot be read is ingest's to keep, and only counted here."""
    events: list[Timed] = []
    strangers: list[Timed] = []
    invalid = 0
    for record in records:
        try:
            timed = decode(model, record, now_us, proofs)
        except InvalidRecordError:
            invalid += 1
        else:
            (events if timed[0].tenant_id in tenants else strangers).append(timed)
    return Read(events, strangers, invalid)


def bucket_of(record: Record) -> int:
    """The hour in whose set the batch's identities are remembered."""
    return max(record.timestamp, 0) // 1000 // BUCKET_S


def digest(timed: Timed) -> bytes:
    """The digest of an event's identity."""
    event, at_us = timed
    return digest_of(event.tenant_id, event.event_id, at_us)


def increments(
    events: Sequence[Timed],
    digests: Sequence[bytes],
    known: Container[bytes],
    bucket: int,
    price: Price,
) -> Increments:
    """Fold the events that are new; `known` are digests seen before this batch."""
    out = Increments(bucket)
    fresh: dict[bytes, Timed] = {}
    for timed, name in zip(events, digests, strict=True):
        if name not in known and name not in fresh:
            fresh[name] = timed
    out.seen = list(fresh)
    out.accepted = len(fresh)
    out.duplicates = len(events) - len(fresh)
    if events and isinstance(events[0][0], OperationEvent):
        out.cells = fold_operations(
            (event, at_us, price(event))
            for event, at_us in fresh.values()
            if isinstance(event, OperationEvent)
        )
    else:
        _add_feedback(out, fresh)
    return out


def _add_feedback(out: Increments, fresh: dict[bytes, Timed]) -> None:
    named: list[tuple[FeedbackEvent, int, Series]] = []
    for name, (event, at_us) in fresh.items():
        if isinstance(event, FeedbackEvent):
            series = named_series_of(event)
            if series is None:
                out.waiting[name] = encode_waiting(Waiting.of(event, at_us))
            else:
                named.append((event, at_us, series))
    out.cells = fold_feedback(named)
