"""What rules ask of single operations: sums by agent, and versions of models."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from services.metrics.domain.alerting import RuleBook
from services.metrics.domain.windows import Place, Windows
from shared.alerts.grouping import Grouped
from shared.alerts.rule import AlertRule
from shared.alerts.slots import Stored
from shared.alerts.versions import Compared, Versions
from shared.keys import HOUR_CELLS, MINUTE_CELLS, WINDOWS
from shared.measures.cells import HOUR, MINUTE, merged

SHORT_S, LONG_S = HOUR, WINDOWS["24h"]
STEPS = {MINUTE_CELLS: MINUTE, HOUR_CELLS: HOUR}


class Agent(NamedTuple):
    """An agent that rules name, and how far back they look."""

    name: str
    back_s: int


class Wanted(NamedTuple):
    """What a tenant's rules ask for."""

    agents: frozenset[Agent] = frozenset()
    versions: bool = False

    def without(self, known: "Wanted") -> "Wanted":
        """What is not known yet."""
        return Wanted(self.agents - known.agents, self.versions and not known.versions)

    def names(self, back_s: int | None = None) -> list[str]:
        """Agents that are looked back at so far, or all of them."""
        return sorted({one.name for one in self.agents if back_s in (None, one.back_s)})


class Read(NamedTuple):
    """What was read of a tenant: its agents by minute, its versions by their slots."""

    agents: Mapping[Agent, Sequence[Stored]] = {}
    versions: Sequence[Stored] = ()

    def portions(self, size: int) -> Iterator["Read"]:
        """The same in parts of at most so many rows."""
        for agent, rows in self.agents.items():
            for start in range(0, len(rows), size):
                yield Read({agent: rows[start : start + size]})
        for start in range(0, len(self.versions), size):
            yield Read({}, self.versions[start : start + size])


class Position(NamedTuple):
    """Up to where operations were read: next offset by partition, and when that was all."""

    ends: Mapping[int, int]
    at: datetime

    def follows(self, other: "Position") -> bool:
        """False when a log began anew."""
        return all(self.ends.get(place, -1) >= end for place, end in other.ends.items())


def wanted_by(rules: RuleBook) -> dict[str, Wanted]:
    """What the rules of each tenant ask of single operations; tenants without are left out."""
    wanted = {}
    for tenant_id, kept in rules.by_tenant.items():
        agents = frozenset(agent for one in kept if (agent := agent_of(one.rule)))
        asked = Wanted(agents, any(one.rule.of_version for one in kept))
        if asked != Wanted():
            wanted[tenant_id] = asked
    return wanted


def agent_of(rule: AlertRule) -> Agent | None:
    """The agent that a rule looks at."""
    name = rule.filter.agent_id
    if name is None:
        return None
    return Agent(name, SHORT_S if WINDOWS[rule.window] <= SHORT_S else LONG_S)


class TenantRows:
    """Sums of one tenant's operations of the last day."""

    def __init__(self, tenant_id: str) -> None:
        self.known = Wanted()
        self._tenant_id = tenant_id
        self._now = 0.0
        self._agents: dict[Agent, Windows] = {}
        self._versions: dict[str, Versions] = {}

    def keep(self, wanted: Wanted) -> None:
        """Forget what nobody asks for any more."""
        agents, versions = self.known
        self.known = Wanted(agents & wanted.agents, versions and wanted.versions)
        self._agents = {one: self._agents[one] for one in self.known.agents}
        if not self.known.versions:
            self._versions.clear()

    def add(self, read: Read, now: float) -> None:
        """Count what was read."""
        for agent, rows in read.agents.items():
            windows = self._agents.setdefault(agent, Windows(now))
            for one in rows:
                self._put(windows, one)
        for one in read.versions:
            self._versions.setdefault(one.series.model_id, Versions()).add(one)

    def pass_time(self, wanted: Wanted, now: float) -> None:
        """All that is `wanted` has been counted as of now."""
        self.known, self._now = wanted, now
        for agent in wanted.agents:
            self._agents.setdefault(agent, Windows(now)).advance(now)
        for model_id, versions in list(self._versions.items()):
            versions.advance(now)
            if versions.is_empty:
                del self._versions[model_id]

    def seen(self, rule: AlertRule, model_id: str, deaf_at: float) -> Grouped | Compared | None:
        """What a rule sees of a model; `None` while it is not known."""
        if rule.of_version:
            versions = self._versions.get(model_id, Versions())
            return versions.compare(rule, self._now, deaf_at) if self.known.versions else None
        windows = self._agents.get(agent) if (agent := agent_of(rule)) else None
        if windows is None:
            return None
        times = windows.arrived.get((self._tenant_id, model_id), {})
        heard = {series: max(at, deaf_at) for series, at in times.items()}
        return Grouped(windows.sums((self._tenant_id, model_id)), heard)

    def _put(self, windows: Windows, one: Stored) -> None:
        for resolution, step in STEPS.items():
            place = Place("rows", resolution, self._tenant_id, one.start // step * step)
            held = windows.content(place)
            cell = merged((held.get(one.series, {}), one.cell))
            windows.put(place, {**held, one.series: cell}, arrived=one.arrived)
