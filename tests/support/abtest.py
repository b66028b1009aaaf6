"""A test that has begun, and its sums reckoned the slow way: from all rows at once."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, NamedTuple
from uuid import UUID

from services.abtest.domain.folding import Pasts, cell_of
from services.abtest.domain.live import LiveTest
from services.abtest.domain.rows import NOTHING, TOTALS, Candidate, UnitKey
from services.abtest.domain.timeline import Span
from shared.experiments.assignment import Epoch, Weight
from shared.experiments.lifecycle import State
from shared.experiments.moments import Moments, Unit, of_units
from shared.experiments.values import rounded_mean
from tests.support.experiments import NOON, config, weighted

TEST_ID = UUID("5b0d3ad2-53c3-4a0a-8a39-0b2c2f6f2a10")
DAY = timedelta(days=1)
METRICS = {
    "success_rate": "ok",
    "share_slower_than_slo": "slow",
    "tokens": "tok",
    "cost_usd": "cost",
    "confidence": "conf",
    "helpful": "helpful",
    "accurate": "accurate",
    "relevant": "relevant",
    "fast": "fast",
}


def live(
    *weights: Mapping[str, float],
    every: timedelta = DAY,
    spans: Sequence[Span] = (Span(NOON, None),),
    **changes: Any,
) -> LiveTest:
    """A test that takes everybody, with one epoch of each of these weights, a day apart."""
    held = weights or ({"a": 0.5, "b": 0.5},)
    made = config(variants=weighted(**held[-1]), **changes)
    epochs = tuple(
        Epoch(
            number,
            f"s.{number}",
            tuple(Weight(*pair) for pair in one.items()),
            1.0,
            ((0, 10_000),),
            NOON + every * (number - 1),
        )
        for number, one in enumerate(held, 1)
    )
    models = {one.key: one.model_id for one in made.variants}
    return LiveTest(
        *("acme", TEST_ID, State.RUNNING, made, epochs, tuple(spans), NOON, None, 10_000.0, models)
    )


class SlowArm(NamedTuple):
    """What an arm amounts to."""

    units: int
    multiple: int
    operations: int
    crossovers: int
    sums: dict[str, Moments]
    bins: list[dict[int, int]]
    ratings: list[int]


def arms_of(
    rows: Iterable[Candidate], test: LiveTest, pasts: Pasts | None = None
) -> dict[tuple[int, str], SlowArm]:
    """Every arm, from all rows, each identity once, and what units did before the test."""
    distinct = {(row.test_id, row.event_id, row.occurred_at): row for row in rows}
    units: dict[UnitKey, list[Candidate]] = defaultdict(list)
    for row in distinct.values():
        units[row.key].append(row)
    homes: dict[tuple[int, str], list[tuple[UnitKey, list[Candidate] | None]]] = defaultdict(list)
    for key, mine in units.items():
        home, counted = _unit(mine, test)
        homes[home].append((key, counted))
    return {home: _arm(found, test, pasts or {}) for home, found in homes.items()}


def _unit(
    rows: Sequence[Candidate], test: LiveTest
) -> tuple[tuple[int, str], list[Candidate] | None]:
    """A unit's arm and the rows that count; none for one in two arms."""
    seen = sorted({(row.epoch, row.variant) for row in rows})
    weights = {one.number: {w.variant: w.weight for w in one.weights} for one in test.epochs}
    for epoch, variant in seen:
        for later, other in seen:
            between = [weights[n][variant] for n in weights if epoch < n <= later]
            if later >= epoch and other != variant and 0 not in between:
                return seen[0], None
    if any(row.kind == "e" and row.is_crossed for row in rows):
        return seen[0], None
    mine = [row for row in rows if (row.epoch, row.variant) == seen[0]]
    exposed_at = min((row.counts_at for row in mine if row.kind == "e"), default=None)
    return seen[0], [
        row
        for row in mine
        if row.kind != "e"
        and (not exposed_at or exposed_at - row.counts_at <= timedelta(minutes=1))
    ]


def _arm(
    found: Sequence[tuple[UnitKey, list[Candidate] | None]], test: LiveTest, pasts: Pasts
) -> SlowArm:
    held: dict[str, list[Unit]] = defaultdict(list)
    bins: list[Counter[int]] = [Counter() for _ in range(20)]
    operations: list[Candidate] = []
    ratings = [0] * 5
    counted = [(key, rows) for key, rows in found if rows is not None]
    for key, rows in counted:
        mine = [row for row in rows if row.kind == "o"]
        operations += mine
        bins[cell_of(key) * 20 // 1024].update(row.bin for row in mine if row.bin is not None)
        units = _held(rows, mine, test)
        for metric, unit in units.items():
            held[metric].append(_with_past(metric, unit, pasts.get(key)))
        if "rating" in units:
            ratings[round(Fraction(units["rating"].m) / 1_000_000) - 1] += 1
    return SlowArm(
        len(counted),
        len(found) - len(counted),
        len(operations),
        sum(row.is_crossed for row in operations),
        {metric: of_units(units) for metric, units in held.items()},
        [dict(one) for one in bins],
        ratings,
    )


def _with_past(metric: str, unit: Unit, past: tuple[int, ...] | None) -> Unit:
    """x, y and h of a unit that had the metric before the test too."""
    before = dict(zip(TOTALS, past or NOTHING, strict=True))
    counted = {"success_rate": "n", "share_slower_than_slo": "n", "response_time_ms": "n"}
    count = before[counted.get(metric, f"{METRICS.get(metric, metric)}_n")]
    if not count:
        return unit
    if metric == "response_time_ms":
        return unit._replace(x=rounded_mean(before["ln"], count), y=1, h=1)
    if metric == "rating":
        return unit._replace(x=rounded_mean(before["rating"] * 1_000_000, count), y=1, h=1)
    return unit._replace(x=before[METRICS[metric]], y=count, h=1)


def _held(
    rows: Sequence[Candidate], operations: Sequence[Candidate], test: LiveTest
) -> dict[str, Unit]:
    held = {}
    limits = test.past.limits._asdict()
    for metric, name in METRICS.items():
        values = [value for row in rows if (value := getattr(row, name)) is not None]
        if limits.get(name) is not None:
            values = [min(value, limits[name]) for value in values]
        if values:
            held[metric] = Unit(sum(values), len(values))
    ln = [row.ln for row in operations if row.ln is not None]
    if ln:
        held["response_time_ms"] = Unit(rounded_mean(sum(ln), len(ln)), 1)
    ratings = [row.rating * 1_000_000 for row in rows if row.rating is not None]
    if ratings:
        held["rating"] = Unit(rounded_mean(sum(ratings), len(ratings)), 1)
    return held


def at(hours: float) -> datetime:
    """An instant after the test's start."""
    return NOON + timedelta(hours=hours)
