"""One partition's batch after reading: events to store, and records that never can be."""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from services.ingest.domain.dead import DeadLetter, dead_letter
from shared.codec import Headers, Record, decode
from shared.errors import InvalidRecordError, Reason
from shared.events.base import Event
from shared.proof import Proofs


class Read(NamedTuple):
    """An event, when it occurred, and the record that brought it."""

    event: Event
    at_us: int
    """`occurred_at` in microseconds since 1970."""
    record: Record
    masked: Event | None = None

    @property
    def stored(self) -> Event:
        """The event with texts as they may be stored; what tells repeats apart is what came."""
        return self.masked or self.event


class MaskedRecord(NamedTuple):
    """A record whose value is masked: also what dies later is kept so."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: Headers


def masked_read(read: Read, event: Event) -> Read:
    """The same with masked texts."""
    if event is read.event:
        return read
    record = read.record
    value = event.model_dump_json(exclude_none=True).encode()
    kept = MaskedRecord(
        *(record.topic, record.partition, record.offset, record.timestamp, record.timestamp_type),
        *(record.key, value, ()),
    )
    return read._replace(record=kept, masked=event)


@dataclass(slots=True)
class Batch:
    """What a batch amounts to, in the records' order."""

    good: list[Read] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    strangers: list[Read] = field(default_factory=list)
    """Events of tenants nobody knows yet."""


class UnstorableError(Exception):
    """The database will never take this batch as it is: one of its records is to blame."""


def read_batch(
    model: type[Event],
    records: Sequence[Record],
    tenants: Container[str],
    now_us: int,
    proofs: Proofs | None,
) -> Batch:
    """Decode every record; strangers are kept apart, for a second look at the tenants."""
    batch = Batch()
    for record in records:
        try:
            event, at_us = decode(model, record, now_us, proofs)
        except InvalidRecordError as error:
            batch.dead.append(dead_letter(record, error))
        else:
            known = event.tenant_id in tenants
            (batch.good if known else batch.strangers).append(Read(event, at_us, record))
    return batch


def settle_strangers(batch: Batch, tenants: Container[str]) -> None:
    """After the second look: a tenant that is still unknown makes a dead letter."""
    for read in batch.strangers:
        if read.event.tenant_id in tenants:
            batch.good.append(read)
        else:
            error = InvalidRecordError(
                Reason.UNKNOWN_TENANT,
                "tenant_id names no tenant; make one by `assay keys create`, then redrive",
            )
            batch.dead.append(dead_letter(read.record, error, read.event.tenant_id))
    if batch.strangers:
        batch.good.sort(key=lambda read: read.record.offset)
        batch.strangers.clear()


def bury(batch: Batch) -> Batch:
    """A batch of one record that the database refuses for good."""
    error = InvalidRecordError(Reason.INVALID_FIELD, "the store cannot hold one of its values")
    return Batch(dead=[dead_letter(read.record, error) for read in batch.good] + batch.dead)


def reused(read: Read) -> DeadLetter:
    """The dead letter of an event whose identity was used before for another body."""
    error = InvalidRecordError(
        Reason.EVENT_ID_REUSE,
        "event_id and occurred_at were used before for another body; a retry must not change it",
    )
    return dead_letter(read.record, error, read.event.tenant_id)


PseudonymOf = Callable[[str, str], str]
"""From tenant and user to the name under which the user is stored."""
