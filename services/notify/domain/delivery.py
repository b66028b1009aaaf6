"""A delivery: one step of an alert or an A/B test on its way to one channel."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from shared.events.alert import AlertEvent
from shared.events.experiment import ExperimentEvent

StepEvent = AlertEvent | ExperimentEvent


class State(StrEnum):
    """What became of a delivery; what is held may still be told."""

    PENDING = "pending"
    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """Sent, or not: we died in between, and a second one could not be told from the first."""
    SILENCED = "silenced"
    INHIBITED = "inhibited"
    SKIPPED = "skipped"
    EXPIRED = "expired"


HELD = frozenset({State.SILENCED, State.INHIBITED})


class Target(NamedTuple):
    """A channel as far as sending needs it."""

    tenant_id: str
    channel_id: UUID
    name: str
    type: str
    url: str
    secret: str | None
    send_resolved: bool


@dataclass(frozen=True, slots=True)
class Delivery:
    """One step on its way; without an event it is a trial of the channel."""

    delivery_id: UUID
    state: State
    attempts: int
    created_at: datetime
    event: StepEvent | None = None
    is_last: bool = True
    """Whether the channel has been given no later step of this alert or test."""
    was_told: bool = False
    """Whether the channel has heard of this alert before."""
    released_at: datetime | None = None
    """When it was last let go, if it was held before."""
    past_severity: str | None = None
    """Under which other severity the channel has heard of this alert."""

    @property
    def alert(self) -> AlertEvent | None:
        """The step, if it is one of an alert."""
        return self.event if isinstance(self.event, AlertEvent) else None
