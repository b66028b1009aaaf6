"""From a model's window sums to the JSON that people get."""

import json
from datetime import UTC, datetime

from services.metrics.domain.status import Shown
from services.metrics.domain.windows import Model, Windows, total
from shared.keys import STATUS_FIELD, WINDOWS
from shared.measures.cells import Cell
from shared.measures.summary import response_times, summarise
from shared.views import MetricsView, ModelLine

LINE_WINDOW = "1h"


def render(windows: Windows, model: Model, health: Shown, now: float) -> tuple[dict[str, str], str]:
    """All fields of a model's view, and its line in the list of models."""
    sums = windows.sums(model)
    cells = {window: total(sums.get(window, {}).values()) for window in WINDOWS}
    fields = {STATUS_FIELD: health.view}
    for window, cell in cells.items():
        start = windows.span(window).start
        view = MetricsView(
            model_id=model[1],
            window=window,
            window_start=datetime.fromtimestamp(start, UTC),
            status=health.status,
            reasons=health.reasons,
            **dict(summarise(cell, now - start)),
        )
        fields[window] = view.model_dump_json()
        series = [[list(name), counts] for name, counts in sums.get(window, {}).items()]
        fields[f"{window}:series"] = json.dumps(series, separators=(",", ":"))
    return fields, _line(windows, model, cells[LINE_WINDOW], health, now)


def _line(windows: Windows, model: Model, cell: Cell, health: Shown, now: float) -> str:
    measures = summarise(cell, now - windows.span(LINE_WINDOW).start)
    return ModelLine(
        model_id=model[1],
        status=health.status,
        reasons=health.reasons,
        sample=measures.sample,
        success_rate=measures.success_rate,
        response_time_ms=response_times(cell),
    ).model_dump_json()
