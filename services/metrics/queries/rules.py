"""What metrics reads of alerts in Postgres: rules, what people did, and alerts that live."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from asyncpg import Pool
from pydantic import ValidationError
from pydantic_core import from_json

from services.metrics.domain.alerting import KeptRule, Place, RuleBook
from services.metrics.domain.telling import Home, Kept
from shared.alerts.finding import Finding
from shared.alerts.grouping import Group
from shared.alerts.machine import Alert, State
from shared.alerts.rule import AlertRule, Severity

RuleRow = tuple[str, str, str]
"""Tenant, id and JSON of a rule."""


class Action(NamedTuple):
    """What somebody did to an alert."""

    tenant_id: str
    action_id: UUID
    alert_id: UUID
    action: str
    until: datetime | None
    note: str
    actor: str
    at: datetime


async def rules(pool: Pool) -> list[RuleRow]:
    """Every tenant's rules as they are kept."""
    rows = await pool.fetch("SELECT tenant_id, rule_id, body FROM alert_rules ORDER BY created_at")
    return [(row["tenant_id"], str(row["rule_id"]), row["body"]) for row in rows]


def parsed(rows: Iterable[RuleRow]) -> RuleBook:
    """Rules by tenant; one that this version does not understand is none of its business."""
    by_tenant: dict[str, list[KeptRule]] = {}
    unreadable = set()
    for tenant_id, rule_id, body in rows:
        try:
            rule = AlertRule.model_validate_json(body)
        except ValidationError:
            unreadable.add((tenant_id, UUID(rule_id)))
            continue
        if rule.enabled:
            by_tenant.setdefault(tenant_id, []).append(KeptRule(UUID(rule_id), rule))
    return RuleBook(by_tenant, frozenset(unreadable))


async def actions(pool: Pool) -> list[Action]:
    """What people did to alerts that live, however long ago: metrics may have been away."""
    rows = await pool.fetch(
        """
        SELECT tenant_id, action_id, alert_id, action, until, note, actor, created_at
          FROM alert_actions JOIN performance_alerts USING (tenant_id, alert_id)
         WHERE state <> 'resolved' ORDER BY created_at, action_id
        """
    )
    return [Action(*row) for row in rows]


async def live_alerts(pool: Pool, known: RuleBook) -> list[tuple[Home, Kept]]:
    """Alerts that have not ended, as their last step told, oldest first."""
    rows = await pool.fetch(
        "SELECT * FROM performance_alerts WHERE state <> 'resolved' ORDER BY started_at"
    )
    found = []
    for row in rows:
        labels = from_json(row["labels"])
        rule = known.rule(row["tenant_id"], row["rule_id"])
        names = rule.labels_of_group if rule else ("model_id", "environment")
        group = Group(tuple((name, labels.get(name, "")) for name in names))
        home = Home(row["tenant_id"], Place(row["rule_id"], group))
        found.append((home, Kept(_alert(dict(row)), row["rule_name"], labels)))
    return found


def _alert(row: Mapping[str, Any]) -> Alert:
    get = row.__getitem__
    severity = Severity(get("severity"))
    numbers = (get("value"), get("threshold"), get("low"), get("high"), get("sample"))
    return Alert(
        get("alert_id"),
        State(get("state")),
        severity,
        started_at=get("started_at"),
        told_at=get("stepped_at"),
        restored_at=get("stepped_at"),
        seen=Finding(severity, None, *numbers, get("observed_over"), get("reason")),
        steps=get("step"),
        fired_at=get("fired_at"),
        acknowledged_until=get("acknowledged_until"),
    )
