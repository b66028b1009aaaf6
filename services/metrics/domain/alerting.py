"""Applies a tenant's rules to one model's windows and moves its alerts on."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple, Protocol
from uuid import UUID

from services.metrics.domain.windows import Model, SeriesCells, Windows
from shared.alerts.finding import LAST_WEEK, Cell, Finding
from shared.alerts.grouping import Group
from shared.alerts.looking import look_at, windows_of
from shared.alerts.machine import Alert, Step, advance, began, resolve
from shared.alerts.no_data import silent
from shared.alerts.rule import BASELINE_WINDOW, AlertRule


class KeptRule(NamedTuple):
    """A rule and what it is known by."""

    rule_id: UUID
    rule: AlertRule


class RuleBook(NamedTuple):
    """The rules of all tenants that are switched on, and those that we cannot read."""

    by_tenant: Mapping[str, Sequence[KeptRule]]
    unreadable: frozenset[tuple[str, UUID]] = frozenset()

    def rule(self, tenant_id: str, rule_id: UUID) -> AlertRule | None:
        """One rule; `None` when it is not there, off, or unreadable."""
        rules = self.by_tenant.get(tenant_id, ())
        return next((one.rule for one in rules if one.rule_id == rule_id), None)


class Place(NamedTuple):
    """Where an alert can be: at most one lives there at a time."""

    rule_id: UUID
    group: Group


class Change(NamedTuple):
    """What became of a place."""

    place: Place
    alert: Alert | None
    steps: Sequence[Step]


class Seen(Protocol):
    """What a rule looks at."""

    @property
    def oldest(self) -> float:
        """When the one that has been quiet for longest last came."""

    @property
    def gone(self) -> str:
        """Why an alert ends of whose group nothing is there."""

    def cells(self, window: str, rule: AlertRule) -> Mapping[Group, Cell]:
        """What a window holds of each group."""

    def arrivals(self, rule: AlertRule) -> Mapping[Group, float]:
        """When something of each group last came."""

    def about(self, group: Group) -> str:
        """What a reason begins with."""


def sums_for(
    rules: Iterable[KeptRule], model: Model, windows: Windows
) -> Mapping[str, SeriesCells]:
    """What a model's windows hold, and its hour of last week if any of the rules asks for it."""
    sums = windows.sums(model)
    if not any(_asks_for_last_week(one.rule, model) for one in rules):
        return sums
    return {**sums, LAST_WEEK[BASELINE_WINDOW]: windows.hour_last_week(model)}


def _asks_for_last_week(rule: AlertRule, model: Model) -> bool:
    is_asked = rule.baseline is not None and not rule.of_version
    return is_asked and rule.filter.model_id in (None, model[1])


def judge_rule(
    kept: KeptRule, alerts: Mapping[Place, Alert], grouped: Seen, now: datetime
) -> list[Change]:
    """Look at every group of a rule among one model's series; answers only what changed.

    `alerts` are those of this model that live. Times of arrival are seconds since 1970.
    """
    rule_id, rule = kept
    cells = {window: grouped.cells(window, rule) for window in windows_of(rule)}
    quiet = _silent_groups(rule, grouped, now.timestamp())
    known = grouped.arrivals(rule)
    changes = []
    for group in _groups(rule_id, cells, alerts) | quiet.keys():
        place = Place(rule_id, group)
        alert = alerts.get(place)
        finding = quiet.get(group) or _look(rule, group, cells, whole=alert is not None)
        if alert is None and finding.severity is None:
            continue
        if group in known:
            finding = finding._replace(reason=grouped.about(group) + finding.reason)
        if alert is not None and group not in known:
            after, steps = resolve(alert, None, grouped.gone, now)
        else:
            begin = partial(began, rule_id, str(group), now=now)
            after, steps = advance(rule, alert, finding, now, begin)
        if after != alert or steps:
            changes.append(Change(place, after, steps))
    return changes


def _look(
    rule: AlertRule, group: Group, cells: Mapping[str, Mapping[Group, Cell]], *, whole: bool
) -> Finding:
    held = {window: found[group] for window, found in cells.items() if group in found}
    return look_at(rule, held, whole=whole)


def _silent_groups(rule: AlertRule, grouped: Seen, now: float) -> dict[Group, Finding]:
    """Groups from which nothing came for long, and what the rule makes of that."""
    if silent(rule, now - grouped.oldest) is None:
        return {}
    found = {}
    for group, arrived in grouped.arrivals(rule).items():
        finding = silent(rule, now - arrived)
        if finding is not None:
            found[group] = finding
    return found


def _groups(
    rule_id: UUID, cells: Mapping[str, Mapping[Group, Cell]], alerts: Iterable[Place]
) -> set[Group]:
    """Groups with something in a window, and those with an alert."""
    found = {group for by_group in cells.values() for group in by_group}
    return found | {place.group for place in alerts if place.rule_id == rule_id}
