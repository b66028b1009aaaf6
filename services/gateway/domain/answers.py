"""Answers made here: filtered metrics, and metrics from Postgres' minutes."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from shared.health.judging import judge
from shared.health.limits import HealthLimits
from shared.measures.cells import Cell, Series, add_into
from shared.measures.summary import summarise
from shared.views import MetricsView


class Filters(NamedTuple):
    """Which operations of a model are asked for; `None` = all."""

    environment: str | None = None
    operation_type: str | None = None
    variant: str | None = None
    agent_id: str | None = None
    release: str | None = None

    @property
    def need_rows(self) -> bool:
        """Whether no series can tell: there is no end of agents and releases."""
        return self.agent_id is not None or self.release is not None

    def match(self, series: Series) -> bool:
        """Whether a series is among them."""
        return all(
            wanted is None or wanted == found
            for wanted, found in zip(self[:3], series[1:], strict=True)
        )


class ReadySums(NamedTuple):
    """What is ready of a model: cells by series for each window, and its status as JSON."""

    by_window: Mapping[str, Any]
    status: bytes | None
    as_of_ms: int


def total(filters: Filters, stored: Iterable[tuple[list[str], Mapping[str, int]]]) -> Cell:
    """The sum of those stored series that match."""
    out: Cell = {}
    for name, cell in stored:
        if filters.match(Series(*name)):
            add_into(out, cell)
    return out


def metrics_answer(
    model_id: str,
    window: str,
    span: tuple[float, float],
    cells: Mapping[str, Cell],
    limits: HealthLimits,
    *,
    stale: bool,
) -> dict[str, Any]:
    """The answer of GET /ai/metrics for `cells` by window, of which `span` is the asked one's."""
    verdict = judge(cells, limits)
    start, end = span
    view = MetricsView(
        model_id=model_id,
        window=window,
        window_start=datetime.fromtimestamp(start, UTC),
        status=verdict.status,
        reasons=verdict.reasons,
        stale=stale,
        **dict(summarise(cells[window], max(1.0, end - start))),
    )
    return view.model_dump(mode="json")


def stamped(content: bytes, as_of_ms: int, now: datetime) -> bytes:
    """Add what only the reader knows to an object's JSON, without reading it again."""
    as_of = datetime.fromtimestamp(as_of_ms / 1000, UTC).isoformat().replace("+00:00", "Z")
    return b'%s,"as_of":"%s","freshness_ms":%d}' % (
        content[:-1],
        as_of.encode(),
        max(0, now.timestamp() * 1000 - as_of_ms),
    )
