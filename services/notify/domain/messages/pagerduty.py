"""PagerDuty Events API v2: an alert is one incident, known by its dedup_key."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from pydantic_core import to_json

from services.notify.domain.delivery import Delivery, Target
from services.notify.domain.messages.message import TEST, Message, title, utc
from shared.events.alert import AlertEvent

ACTIONS: Final = {"firing": "trigger", "acknowledged": "acknowledge", "resolved": "resolve"}
MOST_SUMMARY = 1_024


def messages(target: Target, deliveries: Sequence[Delivery], now: datetime) -> list[Message]:
    """One request per delivery; a test opens an incident and closes it."""
    made = []
    for one in deliveries:
        bodies = [_body(one.alert)] if one.alert else _test(one, now)
        contents = (to_json({"routing_key": target.secret, **body}) for body in bodies)
        made.append(Message((one,), target.url, tuple(contents)))
    return made


def _body(event: AlertEvent) -> dict[str, Any]:
    return {
        "event_action": ACTIONS[event.state],
        "dedup_key": str(event.alert_id),
        "payload": {
            "summary": f"{title(event)}. {event.reason}"[:MOST_SUMMARY],
            "source": event.model_id,
            "severity": event.severity,
            "timestamp": utc(event.occurred_at),
            "component": event.model_id,
            "group": event.labels.get("environment", event.model_id),
            "class": event.rule_name,
            "custom_details": event.model_dump(mode="json"),
        },
    }


def _test(delivery: Delivery, now: datetime) -> list[dict[str, Any]]:
    key = str(delivery.delivery_id)
    payload = {"summary": TEST, "source": "assay", "severity": "info", "timestamp": utc(now)}
    opened = {"event_action": "trigger", "dedup_key": key, "payload": payload}
    return [opened, {"event_action": "resolve", "dedup_key": key}]
