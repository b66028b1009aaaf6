"""Where live cells differ from what Postgres holds of the same records. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from services.metrics.domain.waiting import Waiting
from shared import keys
from shared.measures.cells import HOUR, MINUTE, Cell, Cells, Series, add_into, by_hour

SPAN_S = {keys.MINUTE_CELLS: MINUTE, keys.HOUR_CELLS: HOUR}


class Range(NamedTuple):
    """A tenant's time from `start` to before `end`, seconds since 1970."""

    tenant_id: str
    start: int
    end: int


@dataclass(slots=True)
class Cut:
    """Cells of one partition at one instant, and the record that they wait for."""

    next_offset: int
    generation: int
    cells: dict[str, dict[Series, Cell]]
    """Member -> content; a member without a cell is there, and empty."""
    waiting: Mapping[bytes, Waiting]
    """Feedback that is not counted yet, by digest."""


@dataclass(slots=True)
class Evidence:
    """What Postgres holds of the same cells at one later instant."""

    next_offset: int
    minutes: Cells = field(default_factory=dict)
    later: Cells = field(default_factory=dict)
    """The part of `minutes` that the cut cannot hold yet."""
    unsettled: frozenset[tuple[str, int]] = frozenset()
    """Tenant and minute of feedback that the cut counted and Postgres does not yet."""


Deltas = dict[str, dict[Series, Cell]]
"""Member -> what must be added to make it right."""


def ranges(members: Iterable[str]) -> list[Range]:
    """The time that these cells cover."""
    places = map(keys.split_member, members)
    return sorted({Range(tenant, start, start + SPAN_S[name]) for name, tenant, start in places})


def unsettled_members(cut: Cut, evidence: Evidence) -> set[str]:
    """Cells that cannot be judged yet."""
    members = {
        keys.cell_member(name, tenant, minute - minute % span)
        for tenant, minute in evidence.unsettled
        for name, span in SPAN_S.items()
    }
    return members & cut.cells.keys()


def differences(cut: Cut, evidence: Evidence) -> Deltas:
    """What each cell lacks, or has too much, apart from those that cannot be judged yet."""
    wanted = _wanted(evidence)
    found: Deltas = {}
    for member in cut.cells.keys() - unsettled_members(cut, evidence):
        content, right = cut.cells[member], wanted.get(member, {})
        for series in content.keys() | right.keys():
            delta = dict(right.get(series, {}))
            add_into(delta, content.get(series, {}), -1)
            if delta:
                found.setdefault(member, {})[series] = delta
    return found


def _wanted(evidence: Evidence) -> Mapping[str, dict[Series, Cell]]:
    minutes = {key: dict(cell) for key, cell in evidence.minutes.items()}
    for key, cell in evidence.later.items():
        add_into(minutes.setdefault(key, {}), cell, -1)
    out: dict[str, dict[Series, Cell]] = {}
    for name, cells in ((keys.MINUTE_CELLS, minutes), (keys.HOUR_CELLS, by_hour(minutes))):
        for key, cell in cells.items():
            content = {measure: count for measure, count in cell.items() if count}
            if content:
                member = keys.cell_member(name, key.tenant_id, key.start)
                out.setdefault(member, {})[key.series] = content
    return out
