"""Fold events into cells. The hot path of two services: events are grouped, then each measure is
taken from a whole group at once.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import NamedTuple

from shared.events.feedback import FeedbackEvent
from shared.events.operation import OperationEvent
from shared.measures.cells import ASPECTS, MINUTE, Cell, CellKey, Cells, Series
from shared.measures.sketch import LN_GAMMA, SMALLEST, ZERO_KEY

CALIBRATION_BINS = 10
MICRO = 1_000_000
MINUTE_US = MINUTE * MICRO
TOKENS = (
    ("tin", attrgetter("input_tokens")),
    ("tout", attrgetter("output_tokens")),
    ("tcached", attrgetter("cached_input_tokens")),
    ("treason", attrgetter("reasoning_tokens")),
)

Priced = tuple[OperationEvent, int, int | None]
"""An operation, its time in microseconds since 1970, its cost in 1e-9 US dollars if known."""


class Judgement(NamedTuple):
    """What of a feedback is counted."""

    rating: int | None
    helpful: bool | None
    accurate: bool | None
    relevant: bool | None
    fast: bool | None


def minute_start(at_us: int) -> int:
    """Start of an instant's minute, seconds since 1970."""
    return at_us // MINUTE_US * MINUTE


def named_series_of(event: FeedbackEvent) -> Series | None:
    """The series a feedback itself names; `None` when it must be joined to its operation."""
    if event.model_id is None:
        return None
    return Series(
        event.model_id, event.environment or "", event.operation_type or "", event.variant or ""
    )


def fold_operations(priced: Iterable[Priced]) -> Cells:
    """Cells of operations."""
    groups: dict[tuple[str, int, str, str, str, str | None], list[Priced]] = {}
    for one in priced:
        event, at_us, _ = one
        # A plain tuple: two named ones for each event would cost as much as all else here.
        group = (
            event.tenant_id,
            at_us // MINUTE_US,
            event.model_id,
            event.environment,
            event.operation_type,
            event.variant,
        )
        if group in groups:
            groups[group].append(one)
        else:
            groups[group] = [one]
    cells: Cells = {}
    for (tenant_id, minute, model, environment, kind, variant), members in groups.items():
        series = Series(model, environment, kind, variant or "")
        cells[CellKey(tenant_id, minute * MINUTE, series)] = _cell(members)
    return cells


def fold_feedback(attributed: Iterable[tuple[FeedbackEvent, int, Series]]) -> Cells:
    """Cells of feedback: each event, its time in microseconds since 1970, and its series."""
    cells: Cells = {}
    for event, at_us, series in attributed:
        key = CellKey(event.tenant_id, minute_start(at_us), series)
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


def _cell(members: Sequence[Priced]) -> Cell:
    events = [event for event, _, _ in members]
    cell = {"n": len(events)}
    _add_response_times(cell, [event.response_time_ms for event in events])
    _add_outcomes(cell, events)
    for name, get in TOKENS:
        _add_known(cell, name, list(map(get, events)))
    _add_known(cell, "cost_nano", [cost for _, _, cost in members], count="cost_n")
    said = [(e.confidence, 1 if e.success else 0) for e in events if e.confidence is not None]
    if said:
        _add_confidence(cell, said)
    return cell


def _add_response_times(cell: Cell, times: Sequence[float]) -> None:
    log = math.log
    logs = [log(ms if ms > SMALLEST else SMALLEST) for ms in times]
    cell["rt_us"] = sum([round(ms * 1000) for ms in times])
    cell["ln"] = sum([round(x * MICRO) for x in logs])
    cell["ln2"] = sum([round(x * x * MICRO) for x in logs])
    ceil = math.ceil
    keys = [
        ceil(x / LN_GAMMA) if ms >= SMALLEST else ZERO_KEY
        for x, ms in zip(logs, times, strict=True)
    ]
    for key, count in Counter(keys).items():
        cell[f"d:{key}"] = count


def _add_outcomes(cell: Cell, events: Sequence[OperationEvent]) -> None:
    failures = [event.error_type or "unspecified" for event in events if not event.success]
    if len(failures) < len(events):
        cell["ok"] = len(events) - len(failures)
    for error_type, count in Counter(failures).items():
        cell[f"e:{error_type}"] = count


def _add_known(
    cell: Cell, name: str, values: Sequence[int | None], count: str | None = None
) -> None:
    known = [value for value in values if value is not None]
    if known:
        cell[count or f"{name}_n"] = len(known)
        cell[name] = sum(known)


def _add_confidence(cell: Cell, said: Sequence[tuple[float, int]]) -> None:
    """Calibration holds the confidence against the outcome that the operation itself reported."""
    counts, sums, successes = ([0] * CALIBRATION_BINS for _ in range(3))
    squares = brier = 0
    for confidence, success in said:
        place = int(confidence * CALIBRATION_BINS) if confidence < 1 else CALIBRATION_BINS - 1
        counts[place] += 1
        sums[place] += round(confidence * MICRO)
        successes[place] += success
        squares += round(confidence * confidence * MICRO)
        brier += round((confidence - success) ** 2 * MICRO)
    cell["conf_n"] = len(said)
    cell["conf"] = sum(sums)
    cell["conf2"] = squares
    cell["brier"] = brier
    for place, count in enumerate(counts):
        if count:
            cell[f"k:{place}:n"] = count
            cell[f"k:{place}:c"] = sums[place]
            cell[f"k:{place}:o"] = successes[place]
