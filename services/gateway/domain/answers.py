"""Answers made here: filtered metrics, and metrics from Postgres' minutes."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from shared.measures.cells import Cell, Series, add_into
from shared.measures.health import judge_widening
from shared.measures.summary import summarise
from shared.views import MetricsView


class Filters(NamedTuple):
    """Which series of a model are asked for; `None` = all."""

    environment: str | None = None
    operation_type: str | None = None
    variant: str | None = None

    def match(self, series: Series) -> bool:
        """Whether a series is among them."""
        return all(
            wanted is None or wanted == found
            for wanted, found in zip(self, series[1:], strict=True)
        )


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
    *,
    stale: bool,
) -> dict[str, Any]:
    """The answer of GET /ai/metrics for `cells` by window, of which `span` is the asked one's."""
    status, reasons = judge_widening(cells)
    start, end = span
    view = MetricsView(
        model_id=model_id,
        window=window,
        window_start=datetime.fromtimestamp(start, UTC),
        status=status,
        reasons=reasons,
        stale=stale,
        **dict(summarise(cells[window], max(1.0, end - start))),
    )
    return view.model_dump(mode="json")
