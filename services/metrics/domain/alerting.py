"""Applies a tenant's rules to one model's windows and moves its alerts on."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple
from uuid import UUID

from shared.alerts.burning import BURN_WINDOWS, look_at_burning
from shared.alerts.finding import LAST_WEEK, Cell, Finding, look
from shared.alerts.grouping import Group, Grouped, SeriesCells
from shared.alerts.machine import Alert, Step, advance, began
from shared.alerts.rule import AlertRule
from shared.alerts.silence import silent


class KeptRule(NamedTuple):
    """A rule and what it is known by."""

    rule_id: UUID
    rule: AlertRule


class Place(NamedTuple):
    """Where an alert can be: at most one lives there at a time."""

    rule_id: UUID
    group: Group


class Change(NamedTuple):
    """What became of a place."""

    place: Place
    alert: Alert | None
    steps: list[Step]


def windows_of(rule: AlertRule) -> Sequence[str]:
    """Windows that a rule looks at."""
    if rule.burn_rate is not None:
        return tuple(BURN_WINDOWS)
    if rule.baseline is not None:
        return rule.window, LAST_WEEK[rule.window]
    return (rule.window,)


def judge_model(
    rules: Sequence[KeptRule],
    alerts: Mapping[Place, Alert],
    sums: Mapping[str, SeriesCells],
    quiet_s: float,
    now: datetime,
) -> list[Change]:
    """Look at every group of every rule; answers only what changed.

    `alerts` are those that live, `sums` the model's windows by name, `quiet_s` the seconds since
    anything of the model last arrived.
    """
    grouped = Grouped(sums)
    changes = []
    for rule_id, rule in rules:
        silence = silent(rule, quiet_s)
        cells = {window: grouped.cells(window, rule) for window in windows_of(rule)}
        for group in _groups(rule_id, cells, alerts, grouped, rule, silence):
            place = Place(rule_id, group)
            finding = silence or _look(rule, group, cells)
            alert = alerts.get(place)
            if alert is None and finding.severity is None:
                continue
            begin = partial(began, rule_id, str(group), now=now)
            after, steps = advance(rule, alert, finding, now, begin)
            if after != alert or steps:
                changes.append(Change(place, after, steps))
    return changes


def _look(rule: AlertRule, group: Group, cells: Mapping[str, Mapping[Group, Cell]]) -> Finding:
    own = {window: found[group] for window, found in cells.items() if group in found}
    return look_at_burning(rule, own) if rule.burn_rate is not None else look(rule, own)


def _groups(
    rule_id: UUID,
    cells: Mapping[str, Mapping[Group, Cell]],
    alerts: Mapping[Place, Alert],
    grouped: Grouped,
    rule: AlertRule,
    silence: Finding | None,
) -> set[Group]:
    """Groups with something in a window, those with an alert, and silent ones of the past days."""
    found = {group for by_group in cells.values() for group in by_group}
    found |= {place.group for place in alerts if place.rule_id == rule_id}
    if silence is not None:
        found |= grouped.cells("7d", rule).keys()
    return found
