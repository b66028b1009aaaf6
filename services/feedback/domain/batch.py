"""One partition's batch after reading: feedback, and how many records are none."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from shared.codec import Record, decode
from shared.errors import InvalidRecordError
from shared.events.feedback import FeedbackEvent
from shared.proof import Proofs


@dataclass(slots=True)
class Batch:
    """Events in the records' order."""

    events: list[FeedbackEvent] = field(default_factory=list)
    invalid: int = 0

    @property
    def tenants(self) -> list[str]:
        """Who is in it."""
        return sorted({event.tenant_id for event in self.events})


class Outcome(NamedTuple):
    """What became of a batch's records; ignored is what named no tenant that there is."""

    accepted: int
    duplicates: int
    ignored: int
    invalid: int
    erased: int = 0


def read_batch(records: Sequence[Record], now_us: int, proofs: Proofs | None) -> Batch:
    """Decode every record; ingest buries those that are no events, we count them."""
    batch = Batch()
    for record in records:
        try:
            event, _ = decode(FeedbackEvent, record, now_us, proofs)
        except InvalidRecordError:
            batch.invalid += 1
        else:
            batch.events.append(event)
    return batch
