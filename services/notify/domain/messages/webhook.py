"""Webhooks after Standard Webhooks 1.0: one per step, its id the same at every attempt."""

from collections.abc import Sequence
from datetime import datetime

from pydantic_core import to_json

from services.notify.domain.delivery import Delivery, StepEvent, Target
from services.notify.domain.messages.message import TEST, Message, utc, word_of
from shared.events.experiment import ExperimentEvent


def messages(target: Target, deliveries: Sequence[Delivery], now: datetime) -> list[Message]:
    """One request per delivery."""
    return [_message(target, one, now) for one in deliveries]


def _message(target: Target, delivery: Delivery, now: datetime) -> Message:
    event = delivery.event
    if event is None:
        data = {"channel_id": target.channel_id, "channel": target.name, "message": TEST}
        body = to_json({"type": "channel.test", "timestamp": utc(now), "data": data})
    else:
        at = utc(event.occurred_at)
        body = to_json(
            {"type": _kind(event), "timestamp": at, "data": event.model_dump(mode="json")}
        )
    return Message((delivery,), target.url, (body,), sign_as=delivery.delivery_id)


def _kind(event: StepEvent) -> str:
    if isinstance(event, ExperimentEvent):
        return f"experiment.{word_of(event)}"
    return f"alert.{event.state}"
