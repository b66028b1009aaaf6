"""Alertmanager's v2 API: active alerts are repeated before they would end by themselves."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic_core import to_json

from services.notify.domain.delivery import Delivery, Target
from services.notify.domain.messages.message import JSON, TEST, Message, utc
from shared.events.alert import AlertEvent

PATH = "/api/v2/alerts"
REPEAT_AFTER = timedelta(seconds=60)
# An alert that we stop repeating ends after four repeats that did not come, as with Prometheus.
ENDS_AFTER = 4 * REPEAT_AFTER
MOST_IN_ONE = 100
NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_]")


def messages(target: Target, deliveries: Sequence[Delivery], now: datetime) -> list[Message]:
    """One request for up to a hundred deliveries."""
    headers = JSON | ({"Authorization": f"Bearer {target.secret}"} if target.secret else {})
    url = target.url.rstrip("/").removesuffix(PATH) + PATH
    made = []
    for start in range(0, len(deliveries), MOST_IN_ONE):
        part = deliveries[start : start + MOST_IN_ONE]
        alerts = [alert for one in part for alert in _alerts(one, now)]
        made.append(Message(tuple(part), url, (to_json(alerts),), headers))
    return made


def _alerts(delivery: Delivery, now: datetime) -> list[dict[str, Any]]:
    event = delivery.alert
    if event is None:
        labels = {"alertname": "AssayTest", "severity": "none"}
        return [_alert(labels, TEST, now, now + REPEAT_AFTER)]
    ends = event.occurred_at if event.state == "resolved" else now + ENDS_AFTER
    started = min(event.fired_at or event.started_at, ends)
    made = [_alert(_labels(event, event.severity), event.reason, started, ends)]
    if delivery.past_severity not in (None, event.severity):
        # To Alertmanager another severity is another alert: the one that was told has ended.
        past = _labels(event, str(delivery.past_severity))
        made.append(_alert(past, event.reason, started, max(started, event.occurred_at)))
    return made


def _alert(
    labels: Mapping[str, str], description: str, starts: datetime, ends: datetime
) -> dict[str, Any]:
    annotations = {"summary": description.partition(". ")[0], "description": description}
    return {
        "labels": labels,
        "annotations": annotations,
        "startsAt": utc(starts),
        "endsAt": utc(ends),
    }


def _labels(event: AlertEvent, severity: str) -> dict[str, str]:
    said = {NOT_IN_NAMES.sub("_", name): value for name, value in event.labels.items()}
    said = {f"_{name}" if name[:1].isdigit() else name: value for name, value in said.items()}
    return {
        **said,
        "alertname": event.rule_name,
        "severity": severity,
        "model_id": event.model_id,
        "tenant_id": event.tenant_id,
        "rule_id": str(event.rule_id),
    }
