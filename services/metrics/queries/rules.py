"""What metrics reads of alerts in Postgres: rules, what people did, and alerts that live."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from asyncpg import Pool
from pydantic import ValidationError
from pydantic_core import from_json

from services.metrics.domain.alerting import KeptRule, Place
from services.metrics.domain.telling import Home, Kept
from shared.alerts.finding import Finding
from shared.alerts.grouping import Group
from shared.alerts.machine import Alert, State
from shared.alerts.rule import AlertRule, Severity

Rules = dict[str, list[KeptRule]]


class Action(NamedTuple):
    """What somebody did to an alert."""

    alert_id: UUID
    action: str
    until: datetime | None
    note: str
    actor: str
    at: datetime


async def rules(pool: Pool) -> Rules:
    """Every tenant's rules that are switched on."""
    rows = await pool.fetch("SELECT tenant_id, rule_id, body FROM alert_rules ORDER BY created_at")
    return parsed((row["tenant_id"], str(row["rule_id"]), row["body"]) for row in rows)


def parsed(rows: Iterable[tuple[str, str, str]]) -> Rules:
    """Rules by tenant; one that this version does not understand is left out, not fatal."""
    found: Rules = {}
    for tenant_id, rule_id, body in rows:
        try:
            rule = AlertRule.model_validate_json(body)
        except ValidationError:
            continue
        if rule.enabled:
            found.setdefault(tenant_id, []).append(KeptRule(UUID(rule_id), rule))
    return found


async def actions(pool: Pool, since: datetime) -> list[Action]:
    """What people did since then, in order."""
    rows = await pool.fetch(
        """
        SELECT alert_id, action, until, note, actor, created_at FROM alert_actions
         WHERE created_at >= $1 ORDER BY created_at, action_id
        """,
        since,
    )
    return [Action(*row) for row in rows]


async def live_alerts(pool: Pool, known: Mapping[str, Sequence[KeptRule]]) -> dict[Home, Kept]:
    """Alerts that have not ended, as their last step told; for when Redis has lost them."""
    by_id = {one.rule_id: one.rule for rules in known.values() for one in rules}
    rows = await pool.fetch("SELECT * FROM performance_alerts WHERE state <> 'resolved'")
    found = {}
    for row in rows:
        labels = from_json(row["labels"])
        rule = by_id.get(row["rule_id"])
        names = rule.group_by if rule else ("model_id", "environment")
        group = Group(tuple((name, labels.get(name, "")) for name in names))
        home = Home(row["tenant_id"], Place(row["rule_id"], group))
        found[home] = Kept(_alert(dict(row)), row["rule_name"], labels)
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
        told_at=get("fired_at") or get("started_at"),
        seen=Finding(severity, None, *numbers, get("observed_over"), get("reason")),
        steps=get("step"),
        fired_at=get("fired_at"),
        acknowledged_until=get("acknowledged_until"),
    )
