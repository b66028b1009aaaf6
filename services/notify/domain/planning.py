"""From a step of an alert or an A/B test to deliveries, one per channel that is to hear of it."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID, uuid5

from services.notify.domain.delivery import StepEvent
from shared.codec import Record, decode
from shared.errors import InvalidRecordError
from shared.events.alert import AlertEvent
from shared.events.experiment import ExperimentEvent
from shared.proof import Proofs
from shared.topics import Topic

WAITING: Final = ("COLLECTING", "KEEP_RUNNING")


class Listener(NamedTuple):
    """A channel as far as planning needs it."""

    tenant_id: str
    channel_id: UUID
    created_at: datetime


class Planned(NamedTuple):
    """A delivery to be made."""

    channel_id: UUID
    delivery_id: UUID
    event: StepEvent


def read_batch(
    records: Sequence[Record], now_us: int, proofs: Proofs | None
) -> tuple[list[StepEvent], int]:
    """Decode steps; what cannot be read is ingest's to keep, and only counted here."""
    events: list[StepEvent] = []
    invalid = 0
    for record in records:
        try:
            events.append(_read(record, now_us, proofs))
        except InvalidRecordError:
            invalid += 1
    return events, invalid


def _read(record: Record, now_us: int, proofs: Proofs | None) -> StepEvent:
    if record.topic.endswith(Topic.EXPERIMENTS):
        return decode(ExperimentEvent, record, now_us, proofs)[0]
    return decode(AlertEvent, record, now_us, proofs)[0]


def planned(events: Iterable[StepEvent], listeners: Iterable[Listener]) -> Iterator[Planned]:
    """Who is to be told of what, in the events' order."""
    by_tenant: dict[str, list[Listener]] = {}
    for listener in listeners:
        by_tenant.setdefault(listener.tenant_id, []).append(listener)
    for event in events:
        for listener in by_tenant.get(event.tenant_id, ()):
            if _hears(listener, event):
                yield Planned(listener.channel_id, _identity(listener, event), event)


def _hears(listener: Listener, event: StepEvent) -> bool:
    """People hear of what has fired, on the rule's channels, from the channel's beginning on; and
    of each step of an A/B test after which there is something to do.

    How it goes on is for whoever heard of it, also if the rule has other channels by now.
    """
    if isinstance(event, ExperimentEvent):
        return event.occurred_at >= listener.created_at and not _goes_on(event)
    is_named = event.channels is None or listener.channel_id in event.channels
    return (
        event.fired_at is not None
        and event.state != "pending"
        and (is_named or event.state != "firing")
        and event.occurred_at >= listener.created_at
    )


def _goes_on(event: ExperimentEvent) -> bool:
    """Whether a running test only says that it needs more, as it did before."""
    return (
        event.actor is None
        and event.state == "running"
        and event.verdict in WAITING
        and event.previous_verdict in WAITING
    )


def _identity(listener: Listener, event: StepEvent) -> UUID:
    """The same for a step that comes twice, also when Redis forgot it and it was told anew.

    A step's number may then stand for another state: that is another thing to tell.
    """
    if isinstance(event, ExperimentEvent):
        return uuid5(listener.channel_id, f"experiment:{event.event_id}")
    return uuid5(listener.channel_id, f"{event.event_id}:{event.state}:{event.severity}")
