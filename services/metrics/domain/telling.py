"""From a step of an alert to the event that everybody gets."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from services.metrics.domain.alerting import KeptRule, Place
from shared.alerts.machine import Alert, Step
from shared.events.alert import AlertEvent, Span


class Home(NamedTuple):
    """Where an alert lives: no other tenant and no other group has it."""

    tenant_id: str
    place: Place

    @property
    def model_id(self) -> str:
        """Every group is of one model."""
        return dict(self.place.group.labels)["model_id"]


class Kept(NamedTuple):
    """An alert, and what its rule was called when it last changed."""

    alert: Alert
    rule_name: str
    labels: Mapping[str, str]


def kept(alert: Alert, home: Home, rule: KeptRule) -> Kept:
    """An alert with the labels that people see."""
    return Kept(alert, rule.rule.name, {**rule.rule.labels, **dict(home.place.group.labels)})


def event_of(step: Step, home: Home, known: Kept, channels: Sequence[UUID] | None) -> AlertEvent:
    """The step as an event on `ai.alerts.v1`."""
    alert, seen = step.alert, step.alert.seen
    numbers = {}
    if seen is not None:
        numbers = {
            "value": seen.value,
            "threshold": seen.threshold,
            "interval": Span(low=seen.low, high=seen.high) if seen.value is not None else None,
            "sample": seen.sample,
        }
    return AlertEvent.model_validate(
        {
            **numbers,
            "event_id": step.step_id,
            "tenant_id": home.tenant_id,
            "occurred_at": step.at,
            "alert_id": alert.alert_id,
            "rule_id": home.place.rule_id,
            "rule_name": known.rule_name,
            "model_id": home.model_id,
            "labels": dict(known.labels),
            "state": alert.state.value,
            "severity": alert.severity.value,
            "window": seen.window if seen else "-",
            "reason": step.reason,
            "actor": step.actor,
            "step": step.number,
            "started_at": alert.started_at,
            "fired_at": alert.fired_at,
            "acknowledged_until": alert.acknowledged_until,
            "channels": list(channels) if channels else None,
        }
    )
