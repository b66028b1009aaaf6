"""What rules ask of single operations: sums by agent, and versions of models."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from services.metrics.domain.alerting import RuleBook
from services.metrics.domain.windows import STEP, Place, Windows
from shared.alerts.grouping import Grouped
from shared.alerts.rule import AlertRule
from shared.alerts.slots import Stored
from shared.alerts.versions import KNOWN_S, Compared, Versions
from shared.keys import HOUR_CELLS, MINUTE_CELLS, WINDOWS
from shared.measures.cells import HOUR, Cell, Series, merged


class Lens(NamedTuple):
    """What is looked at: one agent, or the versions of all models."""

    agent_id: str | None
    back_s: int
    """So much of the past is read; silence of two windows is to be seen in it."""
    windows: tuple[str, ...] = ()


VERSIONS = Lens(None, KNOWN_S)


def agent(name: str, window: str) -> Lens:
    """An agent, seen through the windows up to an hour, or through those up to a day."""
    if WINDOWS[window] <= HOUR:
        return Lens(name, 6 * HOUR, ("5m", "15m", "1h", "6h"))
    return Lens(name, 72 * HOUR, ("24h", "3d"))


class Position(NamedTuple):
    """Up to where operations were read: next offset by partition, and when that was all."""

    ends: Mapping[int, int]
    at: datetime

    def follows(self, other: "Position") -> bool:
        """False when a log began anew."""
        return all(self.ends.get(place, -1) >= end for place, end in other.ends.items())


def lens_of(rule: AlertRule) -> Lens | None:
    """What a rule looks through; `None`: at minutes, as most do."""
    if rule.of_version:
        return VERSIONS
    name = rule.filter.agent_id
    return agent(name, rule.window) if name is not None else None


def wanted_by(rules: RuleBook) -> dict[str, frozenset[Lens]]:
    """What the rules of each tenant look through; tenants without are left out."""
    wanted = {
        tenant_id: frozenset(lens for one in kept if (lens := lens_of(one.rule)))
        for tenant_id, kept in rules.by_tenant.items()
    }
    return {tenant_id: lenses for tenant_id, lenses in wanted.items() if lenses}


class Sight:
    """What was read through one lens of a tenant, and up to where."""

    def __init__(self, tenant_id: str, lens: Lens, now: float) -> None:
        self.position: Position | None = None
        self.read_at = 0.0
        """When all that had come by then was read."""
        self._tenant_id = tenant_id
        self._lens = lens
        self._now = now
        self._windows = Windows(now, lengths=lens.windows)
        self._versions: dict[str, Versions] = {}

    def add(self, stored: Sequence[Stored]) -> None:
        """Count what was read."""
        if self._lens == VERSIONS:
            for one in stored:
                self._versions.setdefault(one.series.model_id, Versions()).add(one)
        if "1h" in self._lens.windows:
            oldest = self._windows.span("1h").start
            self._put_all(MINUTE_CELLS, (one for one in stored if one.start >= oldest))
        if self._lens.windows:
            self._put_all(HOUR_CELLS, stored)

    def pass_time(self, now: float) -> None:
        """Let windows and versions move on."""
        self._now = now
        self._windows.advance(now)
        for model in self._windows.models():
            self._windows.retire(model)
        self._windows.dirty.clear()
        self._windows.moved.clear()
        for model_id, versions in list(self._versions.items()):
            versions.advance(now)
            if versions.is_empty:
                del self._versions[model_id]

    def seen(self, rule: AlertRule, model_id: str, deaf_at: float) -> Grouped | Compared:
        """What a rule sees of a model."""
        if rule.of_version:
            versions = self._versions.get(model_id, Versions())
            return versions.compare(rule, self._now, deaf_at)
        model = self._tenant_id, model_id
        times = self._windows.arrived.get(model, {})
        heard = {series: max(at, deaf_at) for series, at in times.items()}
        return Grouped(self._windows.sums(model), heard)

    def _put_all(self, resolution: str, stored: Iterable[Stored]) -> None:
        """Each place once: to put it is to look at all its series."""
        places: dict[int, list[Stored]] = {}
        for one in stored:
            places.setdefault(one.start // STEP[resolution] * STEP[resolution], []).append(one)
        for start, members in places.items():
            place = Place("rows", resolution, self._tenant_id, start)
            held = self._windows.content(place)
            cells: dict[Series, list[Cell]] = {}
            arrived: dict[Series, float] = {}
            for one in members:
                cells.setdefault(one.series, []).append(one.cell)
                arrived[one.series] = max(one.arrived, arrived.get(one.series, 0.0))
            new = {name: merged((held.get(name, {}), *found)) for name, found in cells.items()}
            self._windows.put(place, {**held, **new}, arrived=arrived)
