"""Slack's incoming webhooks: what waits goes out as one message."""

from collections.abc import Sequence
from datetime import datetime

from pydantic_core import to_json

from services.notify.domain.delivery import Delivery, Target
from services.notify.domain.messages.message import TEST, Message, title, told
from shared.events.alert import AlertEvent

# Slack takes 50 blocks of 3,000 characters in a message.
MOST_IN_ONE = 20
MOST_CHARACTERS = 2_900
SIGNS = {"resolved": ":white_check_mark:", "acknowledged": ":eyes:"}
LOUD = {"critical": ":rotating_light:", "warning": ":warning:"}


def messages(target: Target, deliveries: Sequence[Delivery], now: datetime) -> list[Message]:
    """One request for up to twenty deliveries."""
    return [
        _message(target, deliveries[start : start + MOST_IN_ONE])
        for start in range(0, len(deliveries), MOST_IN_ONE)
    ]


def _message(target: Target, deliveries: Sequence[Delivery]) -> Message:
    events = told(deliveries)
    lines = [_escaped(title(event)) for event in events] or [TEST]
    text = lines[0] if len(lines) == 1 else f"{len(lines)} alerts: {'; '.join(lines)}"
    content: dict[str, object] = {"text": text[:MOST_CHARACTERS]}
    if events:
        content["blocks"] = [_block(event) for event in events]
    return Message(tuple(deliveries), target.url, (to_json(content),))


def _block(event: AlertEvent) -> dict[str, object]:
    sign = SIGNS.get(event.state) or LOUD[event.severity]
    by = f" by {event.actor}" if event.actor else ""
    text = f"{sign} *{_escaped(title(event))}*{_escaped(by)}\n{_escaped(event.reason)}"
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:MOST_CHARACTERS]}}


def _escaped(text: str) -> str:
    """Names come from agents: they must neither link nor call anybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
