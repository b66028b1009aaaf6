"""Fold events into cells. The hot path of two services: plain loops over local names."""

import math
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from shared.events.feedback import FeedbackEvent
from shared.events.operation import OperationEvent
from shared.measures.cells import ASPECTS, MINUTE, Cell, CellKey, Cells, Series
from shared.measures.sketch import SMALLEST, key_of

CALIBRATION_BINS = 10
TOKENS = (
    ("tin", "input_tokens"),
    ("tout", "output_tokens"),
    ("tcached", "cached_input_tokens"),
    ("treason", "reasoning_tokens"),
)


class Judgement(NamedTuple):
    """What of a feedback is counted."""

    rating: int | None
    helpful: bool | None
    accurate: bool | None
    relevant: bool | None
    fast: bool | None


def minute_start(at: datetime) -> int:
    """Start of an instant's minute, seconds since 1970."""
    second = math.floor(at.timestamp())
    return second - second % MINUTE


def series_of(event: OperationEvent) -> Series:
    """The series an operation counts in."""
    return Series(event.model_id, event.environment, event.operation_type, event.variant or "")


def named_series_of(event: FeedbackEvent) -> Series | None:
    """The series a feedback itself names; `None` when it must be joined to its operation."""
    if event.model_id is None:
        return None
    return Series(
        event.model_id, event.environment or "", event.operation_type or "", event.variant or ""
    )


def fold_operations(priced: Iterable[tuple[OperationEvent, int | None]]) -> Cells:
    """Cells of operations, each with its cost in 1e-9 US dollars or `None` where unknown."""
    cells: Cells = {}
    for event, cost_nano in priced:
        key = CellKey(event.tenant_id, minute_start(event.occurred_at), series_of(event))
        cell = cells.get(key)
        if cell is None:
            cell = cells[key] = {}
        _add_operation(cell, event, cost_nano)
    return cells


def fold_feedback(attributed: Iterable[tuple[FeedbackEvent, Series]]) -> Cells:
    """Cells of feedback, each with the series it belongs to."""
    cells: Cells = {}
    for event, series in attributed:
        key = CellKey(event.tenant_id, minute_start(event.occurred_at), series)
        judgement = Judgement(
            event.rating, event.helpful, event.accurate, event.relevant, event.fast
        )
        add_judgement(cells.setdefault(key, {}), judgement)
    return cells


def add_judgement(cell: Cell, judgement: Judgement) -> None:
    """Count one feedback."""
    cell["f_n"] = cell.get("f_n", 0) + 1
    if judgement.rating is not None:
        stars = judgement.rating
        for name, value in (("rating_n", 1), ("rating", stars), ("rating2", stars**2)):
            cell[name] = cell.get(name, 0) + value
    for aspect in ASPECTS:
        said = getattr(judgement, aspect)
        if said is not None:
            cell[f"{aspect}_n"] = cell.get(f"{aspect}_n", 0) + 1
            cell[aspect] = cell.get(aspect, 0) + int(said)


def _add_operation(cell: Cell, event: OperationEvent, cost_nano: int | None) -> None:
    get = cell.get
    milliseconds = event.response_time_ms
    logarithm = math.log(milliseconds if milliseconds > SMALLEST else SMALLEST)
    bucket = f"d:{key_of(milliseconds)}"
    cell["n"] = get("n", 0) + 1
    cell["rt_us"] = get("rt_us", 0) + round(milliseconds * 1000)
    cell["ln"] = get("ln", 0) + round(logarithm * 1e6)
    cell["ln2"] = get("ln2", 0) + round(logarithm * logarithm * 1e6)
    cell[bucket] = get(bucket, 0) + 1
    if event.success:
        cell["ok"] = get("ok", 0) + 1
    else:
        error = f"e:{event.error_type or 'unspecified'}"
        cell[error] = get(error, 0) + 1
    for name, field in TOKENS:
        tokens = getattr(event, field)
        if tokens is not None:
            cell[f"{name}_n"] = get(f"{name}_n", 0) + 1
            cell[name] = get(name, 0) + tokens
    if cost_nano is not None:
        cell["cost_n"] = get("cost_n", 0) + 1
        cell["cost_nano"] = get("cost_nano", 0) + cost_nano
    if event.confidence is not None:
        _add_confidence(cell, event.confidence, event.success)


def _add_confidence(cell: Cell, confidence: float, success: bool) -> None:
    """Calibration holds the confidence against the outcome that the operation itself reported."""
    outcome = 1 if success else 0
    place = min(int(confidence * CALIBRATION_BINS), CALIBRATION_BINS - 1)
    for name, value in (
        ("conf_n", 1),
        ("conf", round(confidence * 1e6)),
        ("conf2", round(confidence * confidence * 1e6)),
        ("brier", round((confidence - outcome) ** 2 * 1e6)),
        (f"k:{place}:n", 1),
        (f"k:{place}:c", round(confidence * 1e6)),
        (f"k:{place}:o", outcome),
    ):
        cell[name] = cell.get(name, 0) + value
