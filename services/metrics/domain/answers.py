"""From a model's window sums to the JSON that people get."""

import json
from datetime import UTC, datetime

from services.metrics.domain.windows import Model, Windows, total
from shared.keys import WINDOWS
from shared.measures.cells import Cell
from shared.measures.health import judge_widening
from shared.measures.summary import response_times, summarise
from shared.views import Health, MetricsView, ModelLine

LINE_WINDOW = "1h"


def render(windows: Windows, model: Model, now: float) -> tuple[dict[str, str], str]:
    """All fields of a model's view, and its line in the list of models."""
    sums = windows.sums(model)
    cells = {window: total(sums.get(window, {}).values()) for window in WINDOWS}
    status, reasons = judge_widening(cells)
    fields: dict[str, str] = {}
    for window, cell in cells.items():
        start = windows.span(window).start
        view = MetricsView(
            model_id=model[1],
            window=window,
            window_start=datetime.fromtimestamp(start, UTC),
            status=status,
            reasons=reasons,
            **dict(summarise(cell, now - start)),
        )
        fields[window] = view.model_dump_json()
        series = [[list(name), counts] for name, counts in sums.get(window, {}).items()]
        fields[f"{window}:series"] = json.dumps(series, separators=(",", ":"))
    return fields, _line(windows, model, cells[LINE_WINDOW], (status, reasons), now)


def _line(
    windows: Windows, model: Model, cell: Cell, verdict: tuple[Health, list[str]], now: float
) -> str:
    measures = summarise(cell, now - windows.span(LINE_WINDOW).start)
    return ModelLine(
        model_id=model[1],
        status=verdict[0],
        reasons=verdict[1],
        sample=measures.sample,
        success_rate=measures.success_rate,
        response_time_ms=response_times(cell),
    ).model_dump_json()
