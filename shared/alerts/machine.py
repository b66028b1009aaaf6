"""The life of an alert: pending, firing, acknowledged, resolved. Pure: every instant comes in.

An episode begins with the first bad look and ends when it is resolved; each change is a step with
an id of its own, made of the alert's id and the step's number, so that a step that is published
twice is known to be the same.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import NAMESPACE_URL, UUID, uuid5

from shared.alerts.finding import Finding
from shared.alerts.rule import AlertRule, Severity

IN_A_ROW = 2  # looks that must agree before an alert fires, rises, falls or ends


class State(StrEnum):
    """Where an alert is in its life."""

    PENDING = "pending"
    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Alert:
    """One episode of one group of one rule."""

    alert_id: UUID
    state: State
    severity: Severity
    started_at: datetime
    told_at: datetime
    """When people were last told that it fires."""
    seen: Finding | None = None
    """What was last told of it."""
    steps: int = 0
    fired_at: datetime | None = None
    acknowledged_until: datetime | None = None
    acted: tuple[UUID, ...] = ()
    """What people did to it."""
    restored_at: datetime | None = None
    """When it was last told, if that is all we know: what people did before is done."""
    bad: int = 1
    louder: int = 0
    softer: int = 0
    good: int = 0
    calm: int = 0
    """Looks in a row that said: bad, critical, no longer critical, well again, not bad."""


@dataclass(frozen=True, slots=True)
class Step:
    """One change in an alert's life, as it is told to everybody."""

    step_id: UUID
    number: int
    alert: Alert
    reason: str
    at: datetime
    actor: str | None = None


Outcome = tuple[Alert | None, list[Step]]
"""The alert as it is from now on (`None`: there is none any more), and what is to be told."""


def began(rule_id: UUID, group: str, severity: Severity, *, now: datetime) -> Alert:
    """An episode that starts now."""
    alert_id = uuid5(NAMESPACE_URL, f"assay:alert:{rule_id}:{group}:{now.isoformat()}")
    louder = int(severity is Severity.CRITICAL)
    return Alert(alert_id, State.PENDING, severity, started_at=now, told_at=now, louder=louder)


def advance(
    rule: AlertRule,
    alert: Alert | None,
    finding: Finding,
    now: datetime,
    begin: Callable[[Severity], Alert],
) -> Outcome:
    """What one look at a group makes of its alert; `begin` makes a new episode."""
    if alert is None:
        if finding.severity is None:
            return None, []
        return _told(begin(finding.severity), finding, finding.reason, now)
    alert = _counted(alert, finding)
    if alert.state is State.PENDING:
        return _pending(rule, alert, finding, now)
    return _active(rule, alert, finding, now)


def acknowledge(alert: Alert, until: datetime, actor: str, note: str, now: datetime) -> Outcome:
    """Somebody looks after it; until then nobody is told again."""
    if alert.state not in (State.FIRING, State.ACKNOWLEDGED):
        return alert, []
    taken = replace(alert, state=State.ACKNOWLEDGED, acknowledged_until=until)
    return _told(taken, None, note, now, actor)


def resolve(alert: Alert, actor: str | None, note: str, now: datetime) -> Outcome:
    """Somebody ends it; if it is still bad, the next look begins a new episode."""
    return _ended(alert, None, note, now, actor)


def _counted(alert: Alert, finding: Finding) -> Alert:
    """Rows of looks that agree; a look without an opinion breaks none but the good ones."""
    critical = finding.severity is Severity.CRITICAL
    well = finding.cleared is Severity.WARNING
    return replace(
        alert,
        bad=alert.bad + 1 if finding.severity else 0 if well else alert.bad,
        louder=alert.louder + 1 if critical else 0,
        softer=alert.softer + 1 if finding.cleared else 0,
        good=alert.good + 1 if well else 0,
        calm=0 if finding.severity else alert.calm + 1,
    )


def _pending(rule: AlertRule, alert: Alert, finding: Finding, now: datetime) -> Outcome:
    if finding.severity is None:
        ended = alert.calm >= IN_A_ROW or alert.bad == 0
        return (
            _ended(alert, finding, f"It did not last. {finding.reason}", now)
            if ended
            else (alert, [])
        )
    held = now - alert.started_at >= timedelta(seconds=rule.hold_for_s)
    if alert.bad < IN_A_ROW or not held:
        return alert, []
    only_critical = rule.burn_rate is None and rule.baseline is None and rule.warning is None
    is_critical = only_critical or alert.louder >= IN_A_ROW
    severity = Severity.CRITICAL if is_critical else Severity.WARNING
    fires = replace(alert, state=State.FIRING, severity=severity, fired_at=now, told_at=now)
    return _told(fires, finding, finding.reason, now)


def _active(rule: AlertRule, alert: Alert, finding: Finding, now: datetime) -> Outcome:
    if alert.good >= IN_A_ROW:
        return _ended(alert, finding, finding.reason, now)
    if alert.severity is Severity.WARNING and alert.louder >= IN_A_ROW:
        # Whoever acknowledged a warning has not seen this.
        rises = replace(
            alert,
            state=State.FIRING,
            severity=Severity.CRITICAL,
            acknowledged_until=None,
            told_at=now,
        )
        return _told(rises, finding, finding.reason, now)
    if (
        alert.severity is Severity.CRITICAL
        and alert.softer >= IN_A_ROW
        and finding.severity is Severity.WARNING
    ):
        falls = replace(alert, severity=Severity.WARNING)
        return _told(falls, finding, f"No longer critical. {finding.reason}", now)
    if alert.acknowledged_until is not None and now >= alert.acknowledged_until:
        again = replace(alert, state=State.FIRING, acknowledged_until=None, told_at=now)
        return _told(again, finding, f"The acknowledgement has expired. {finding.reason}", now)
    if alert.state is State.FIRING and now - alert.told_at >= timedelta(seconds=rule.renotify_s):
        return _told(replace(alert, told_at=now), finding, f"It goes on. {finding.reason}", now)
    return alert, []


def _ended(
    alert: Alert, finding: Finding | None, reason: str, now: datetime, actor: str | None = None
) -> Outcome:
    _, steps = _told(replace(alert, state=State.RESOLVED), finding, reason, now, actor)
    return None, steps


def _told(
    alert: Alert, finding: Finding | None, reason: str, now: datetime, actor: str | None = None
) -> tuple[Alert, list[Step]]:
    number = alert.steps + 1
    alert = replace(alert, steps=number, seen=finding or alert.seen)
    step_id = uuid5(alert.alert_id, str(number))
    return alert, [Step(step_id, number, alert, reason, now, actor)]
