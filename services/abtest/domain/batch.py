"""One partition's batch after reading: events, and how many records are none."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from services.abtest.domain.candidates import (
    Ignored,
    Opinion,
    Price,
    PseudonymOf,
    of_exposure,
    of_operation,
    opinion,
)
from services.abtest.domain.live import Tests
from services.abtest.domain.rows import Candidate
from shared.codec import Record, decode
from shared.errors import InvalidRecordError
from shared.events.base import Event
from shared.events.exposure import ExposureEvent
from shared.events.feedback import FeedbackEvent
from shared.events.operation import OperationEvent
from shared.proof import Proofs

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST_MS = 253_402_300_799_000  # the last second that a datetime can hold


@dataclass(slots=True)
class Batch:
    """Events in the records' order."""

    events: list[Event] = field(default_factory=list)
    invalid: int = 0
    arrived_at: datetime = EPOCH
    """When the latest of them came to the topic."""

    def without(self, places: Container[int]) -> "Batch":
        """The same without events in some places."""
        left = [event for place, event in enumerate(self.events) if place not in places]
        return Batch(left, self.invalid, self.arrived_at)

    @property
    def tenants(self) -> list[str]:
        """Who is in it."""
        return sorted({event.tenant_id for event in self.events})

    @property
    def began_at(self) -> datetime:
        """When the earliest occurred."""
        return min(event.occurred_at for event in self.events)


@dataclass(slots=True)
class Concerned:
    """What of a batch concerns tests."""

    rows: list[Candidate] = field(default_factory=list)
    concerning: int = 0
    """Operations and exposures that these rows are of; one may concern several tests."""
    opinions: list[Opinion] = field(default_factory=list)
    """Feedback whose operation must be looked for."""
    ignored: list[Ignored] = field(default_factory=list)


def read_batch(
    model: type[Event], records: Sequence[Record], now_us: int, proofs: Proofs | None
) -> Batch:
    """Decode every record; ingest buries those that are no events, we count them."""
    batch = Batch()
    for record in records:
        try:
            event, _ = decode(model, record, now_us, proofs)
        except InvalidRecordError:
            batch.invalid += 1
        else:
            batch.events.append(event)
    newest = min(LATEST_MS, max(max(record.timestamp, 0) for record in records))
    batch.arrived_at = datetime.fromtimestamp(newest / 1000, UTC)
    return batch


def concerned(batch: Batch, tests: Tests, pseudonym: PseudonymOf, price: Price) -> Concerned:
    """What of a batch concerns the tests of its tenants."""
    found = Concerned()
    lists = {tenant: list(known.values()) for tenant, known in tests.items()}
    for event in batch.events:
        if event.tenant_id not in lists and not isinstance(event, ExposureEvent):
            continue
        if isinstance(event, OperationEvent):
            before = len(found.rows)
            found.rows += of_operation(event, lists[event.tenant_id], pseudonym, price)
            found.concerning += len(found.rows) > before
        elif isinstance(event, FeedbackEvent):
            said = opinion(event, batch.arrived_at)
            if not said.says_nothing:
                found.opinions.append(said)
        elif isinstance(event, ExposureEvent):
            row = of_exposure(event, tests.get(event.tenant_id, {}), pseudonym)
            if isinstance(row, Ignored):
                found.ignored.append(row)
            else:
                found.rows.append(row)
                found.concerning += 1
    return found


def unrepeated(rows: Iterable[Candidate]) -> list[Candidate]:
    """The first of each identity."""
    first: dict[tuple[object, ...], Candidate] = {}
    for row in rows:
        first.setdefault(row.identity, row)
    return list(first.values())


class Outcome(NamedTuple):
    """What became of a batch's records; accepted concern a test, ignored concern none."""

    accepted: int
    duplicates: int
    ignored: int
    invalid: int
    exposures: Mapping[Ignored, int]
    """Exposures that say nothing, by why."""
    erased: int = 0
