"""How a model is, and how it was, as the API answers it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import BaseModel
from pydantic_core import from_json

from shared.health.judging import Verdict, judge
from shared.health.limits import HealthLimits
from shared.measures.cells import Cell, Series, add_into
from shared.views import Health, MeasureStatus, PartStatus, StatusView


class Part(NamedTuple):
    """What has a status of its own; both null: the model as a whole."""

    environment: str | None
    operation_type: str | None


WHOLE = Part(None, None)
LastChanges = Mapping[Part, tuple[Health, datetime]]
"""The status that each part was last seen to enter, and when."""


class StatusAnswer(StatusView):
    """A model's status, and how old it is."""

    as_of: datetime
    freshness_ms: int


class StatusChange(BaseModel):
    """A change of status; `before` is null for the first, parts as in the status itself."""

    at: datetime
    environment: str | None
    operation_type: str | None
    status: Health
    before: Health | None
    reasons: list[str]
    measures: list[MeasureStatus]


class HistoryPage(BaseModel):
    """A page of changes."""

    items: list[StatusChange]
    next_cursor: str | None


class HistoryFilters(NamedTuple):
    """Which changes are asked for; `None` = all."""

    environment: str | None = None
    operation_type: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    whole: bool = False


def change_view(row: Any) -> dict[str, Any]:
    """A stored change as it is answered."""
    shown = dict(row)
    del shown["change_id"]
    return shown | {name: from_json(shown[name]) for name in ("reasons", "measures")}


def parts_of(sums: Mapping[str, Mapping[Series, Cell]]) -> dict[Part, dict[str, Cell]]:
    """Cells by window of the model as a whole and of each part, from sums by window."""
    found: dict[Part, dict[str, Cell]] = {WHOLE: {}}
    for window, by_series in sums.items():
        for series, cell in by_series.items():
            for part in (WHOLE, Part(series.environment, series.operation_type)):
                add_into(found.setdefault(part, {}).setdefault(window, {}), cell)
    return found


def judged_afresh(
    model_id: str,
    parts: Mapping[Part, Mapping[str, Cell]],
    limits: HealthLimits,
    last: LastChanges,
    *,
    stale: bool,
) -> StatusView:
    """The status of a model and of its parts."""
    told = {part: _told(judge(cells, limits), last.get(part)) for part, cells in parts.items()}
    return StatusView(
        model_id=model_id,
        **told.pop(WHOLE),
        parts=[PartStatus(**part._asdict(), **told[part]) for part in sorted(told)],
        limits=limits.model_dump(mode="json"),
        stale=stale,
    )


def _told(verdict: Verdict, last: tuple[Health, datetime] | None) -> dict[str, Any]:
    entered = last is not None and last[0] is verdict.status
    return {**verdict._asdict(), "since": last[1] if last is not None and entered else None}
