"""Alert rules and alerts as the API answers them."""

from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic_core import from_json

from shared.alerts.finding import Finding
from shared.alerts.grouping import Group
from shared.alerts.rule import AlertRule
from shared.events.alert import Span

Note = Annotated[str, Field(max_length=2_048)]


class Action(NamedTuple):
    """What somebody does to an alert."""

    action_id: UUID
    alert_id: UUID
    action: Literal["acknowledge", "resolve"]
    until: datetime | None
    note: str
    actor: str


class NameTakenError(Exception):
    """Another rule of the tenant has this name."""


class KeptRule(AlertRule):
    """A rule, and who made it when."""

    id: UUID
    created_at: datetime
    created_by: str
    updated_at: datetime


class RulesPage(BaseModel):
    """A page of rules."""

    items: list[KeptRule]
    next_cursor: str | None


class AlertView(BaseModel):
    """An alert as it was last told."""

    id: UUID
    rule_id: UUID
    rule_name: str
    labels: dict[str, str]
    model_id: str
    environment: str | None
    state: Literal["pending", "firing", "acknowledged", "resolved"]
    severity: Literal["warning", "critical"]
    value: float | None
    threshold: float | None
    interval: Span
    sample: int
    window: str
    reason: str
    started_at: datetime
    fired_at: datetime | None
    acknowledged_until: datetime | None
    resolved_at: datetime | None


class AlertsPage(BaseModel):
    """A page of alerts."""

    items: list[AlertView]
    next_cursor: str | None


class StepView(BaseModel):
    """One step of an alert's life; `actor` is the person who took it, if one did."""

    state: Literal["pending", "firing", "acknowledged", "resolved"]
    severity: Literal["warning", "critical"]
    at: datetime
    actor: str | None
    note: str


class WholeAlert(AlertView):
    """An alert and its history."""

    history: list[StepView]


class Resolution(BaseModel):
    """Why somebody ends an alert."""

    model_config = ConfigDict(extra="forbid")

    note: Note = ""


class Acknowledgement(BaseModel):
    """Who looks after an alert tells how long; without `until`, four hours."""

    model_config = ConfigDict(extra="forbid")

    note: Note = ""
    until: AwareDatetime | None = None


class Trial(BaseModel):
    """What a rule would do with one group right now."""

    labels: dict[str, str]
    would: Literal["fire", "resolve", "nothing"]
    severity: Literal["warning", "critical"] | None
    value: float | None
    threshold: float | None
    interval: Span
    sample: int
    window: str
    reason: str


class Trials(BaseModel):
    """A rule evaluated now, without anybody being told."""

    rule_id: UUID
    as_of: datetime
    groups: list[Trial]


def rule_view(row: Any) -> dict[str, Any]:
    """A stored rule as it is answered."""
    return {
        **from_json(row["body"]),
        "id": row["rule_id"],
        "created_at": row["created_at"],
        "created_by": row["created_by"],
        "updated_at": row["updated_at"],
    }


def alert_view(row: Any) -> dict[str, Any]:
    """A stored alert as it is answered."""
    shown = dict(row)
    shown["id"] = shown.pop("alert_id")
    shown["labels"] = from_json(shown["labels"])
    shown["interval"] = {"low": shown.pop("low"), "high": shown.pop("high")}
    shown["window"] = shown.pop("observed_over")
    return shown


def trial(group: Group, finding: Finding) -> dict[str, Any]:
    """One group's finding as it is answered."""
    would = "fire" if finding.severity else "resolve" if finding.cleared else "nothing"
    return {
        "labels": dict(group.labels),
        "would": would,
        "severity": finding.severity,
        "value": finding.value,
        "threshold": finding.threshold,
        "interval": {"low": finding.low, "high": finding.high},
        "sample": finding.sample,
        "window": finding.window,
        "reason": finding.reason,
    }
