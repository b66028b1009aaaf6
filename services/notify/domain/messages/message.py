"""One request to a channel."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.notify.domain.delivery import Delivery, StepEvent
from shared.events.experiment import ExperimentEvent

JSON = {"Content-Type": "application/json"}
TEST = "This is a test from Assay: alerts will arrive here."


@dataclass(frozen=True, slots=True)
class Message:
    """What carries deliveries: each body is a POST of its own, the next only after a success."""

    deliveries: tuple[Delivery, ...]
    url: str
    bodies: tuple[bytes, ...]
    headers: dict[str, str] = field(default_factory=lambda: dict(JSON))
    sign_as: UUID | None = None
    """The webhook-id by which the receiver knows a repeat, and for which we sign."""


def told(deliveries: Sequence[Delivery]) -> list[StepEvent]:
    """The steps of those that are no tests."""
    return [one.event for one in deliveries if one.event is not None]


def word_of(event: ExperimentEvent) -> str:
    """What is told of a test: a verdict that was reached, or the state that somebody put it in."""
    is_reached = event.actor is None and event.verdict is not None
    return str(event.verdict).lower() if is_reached else event.state


def title(event: StepEvent) -> str:
    """One line that says what, where and how bad."""
    if isinstance(event, ExperimentEvent):
        return f"[{word_of(event).replace('_', ' ')}] {event.name}: test={event.key}"
    word = event.severity if event.state == "firing" else event.state
    place = ", ".join(f"{name}={value}" for name, value in sorted(event.labels.items()))
    return f"[{word}] {event.rule_name}: {place or event.model_id}"


def utc(at: datetime) -> str:
    """RFC 3339."""
    return at.isoformat().replace("+00:00", "Z")
