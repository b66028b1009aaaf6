"""Steps of alerts, as metrics would tell them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from shared.events.alert import AlertEvent

RULE = UUID("0192f0c0-0000-7000-8000-00000000000a")


def alert_id(name: str) -> UUID:
    """The id of the alert that a test calls so."""
    return uuid5(NAMESPACE_URL, name)


def step(
    number: int, state: str, alert: str = "one", at: datetime | None = None, **changes: Any
) -> AlertEvent:
    """The `number`-th step of an alert that began `number` minutes before."""
    at = at or datetime.now(UTC)
    started = at - timedelta(minutes=number)
    members: dict[str, Any] = {
        "event_id": uuid5(alert_id(alert), str(number)),
        "tenant_id": "acme",
        "occurred_at": at,
        "alert_id": alert_id(alert),
        "rule_id": RULE,
        "rule_name": "errors",
        "model_id": "gpt",
        "labels": {"model_id": "gpt", "environment": "production"},
        "state": state,
        "severity": "warning",
        "value": 0.3,
        "threshold": 0.2,
        "sample": 100,
        "window": "1h",
        "reason": "error_rate is 0.3. That is above 0.2.",
        "step": number,
        "started_at": started,
        "fired_at": None if state == "pending" else started + timedelta(seconds=10),
    }
    return AlertEvent.model_validate(members | changes)
