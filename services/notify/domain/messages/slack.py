"""Slack's incoming webhooks: what waits goes out as one message."""

from collections.abc import Sequence
from datetime import datetime

from pydantic_core import to_json

from services.notify.domain.delivery import Delivery, StepEvent, Target
from services.notify.domain.messages.message import TEST, Message, title, told, word_of
from shared.events.experiment import ExperimentEvent

# Slack takes 50 blocks of 3,000 characters in a message.
MOST_IN_ONE = 20
MOST_CHARACTERS = 2_900
SIGNS = {"resolved": ":white_check_mark:", "acknowledged": ":eyes:"}
OF_TESTS = {"ship": ":tada:", "stop_harm": ":rotating_light:", "broken": ":warning:"}
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
    are_alerts = not any(isinstance(event, ExperimentEvent) for event in events)
    what = "alerts" if are_alerts else "messages"
    text = lines[0] if len(lines) == 1 else f"{len(lines)} {what}: {'; '.join(lines)}"
    content: dict[str, object] = {"text": text[:MOST_CHARACTERS]}
    if events:
        content["blocks"] = [_block(event) for event in events]
    return Message(tuple(deliveries), target.url, (to_json(content),))


def _sign(event: StepEvent) -> str:
    if isinstance(event, ExperimentEvent):
        return OF_TESTS.get(word_of(event), ":test_tube:")
    return SIGNS.get(event.state) or LOUD[event.severity]


def _block(event: StepEvent) -> dict[str, object]:
    by = f" by {event.actor}" if event.actor else ""
    text = f"{_sign(event)} *{_escaped(title(event))}*{_escaped(by)}\n{_escaped(event.reason)}"
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:MOST_CHARACTERS]}}


def _escaped(text: str) -> str:
    """Names come from agents: they must neither link nor call anybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
