"""Cells merge, sketches are within one percent, intervals cover, summaries never invent."""

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from shared import keys
from shared.alerts.catalogue import METRICS
from shared.events.operation import OperationEvent
from shared.measures import intervals, sketch
from shared.measures.cells import Series, add_into
from shared.measures.fold import fold_operations
from shared.measures.summary import summarise
from shared.prices import PriceLine, price_table
from shared.views import CostView
from tests.support.events import encoded, operation

# What these rooms compute; the others are for tests/unit/experiments/test_vectors.py.
COVERED = {"sketch_quantiles", "proportion_ci_wilson"}


NOON_US = int(datetime(2026, 1, 1, 12, tzinfo=UTC).timestamp()) * 1_000_000


def parsed(number: int, **changes: Any) -> OperationEvent:
    event = operation(number, occurred_at="2026-01-01T12:00:00Z", **changes)
    return OperationEvent.model_validate_json(encoded(event))


@given(st.lists(st.integers(0, 5_000), max_size=40), st.integers(0, 40))
def test_folding_parts_and_adding_them_is_folding_the_whole(numbers: list[int], cut: int) -> None:
    events = [(parsed(number), NOON_US, number) for number in numbers]
    whole = fold_operations(events)
    parts = fold_operations(reversed(events[:cut]))
    for key, cell in fold_operations(events[cut:]).items():
        add_into(parts.setdefault(key, {}), cell)
    nonzero = [
        {key: {n: v for n, v in cell.items() if v} for key, cell in cells.items()}
        for cells in (whole, parts)
    ]
    assert nonzero[0] == nonzero[1]


@given(st.lists(st.floats(0.001, 1e8), min_size=1, max_size=200), st.floats(0, 1))
def test_quantiles_are_within_one_percent(values: list[float], at: float) -> None:
    counts: dict[int, int] = {}
    for value in values:
        counts[sketch.key_of(value)] = counts.get(sketch.key_of(value), 0) + 1
    exact = sorted(values)[int(at * (len(values) - 1))]
    found = sketch.quantiles(counts, (at,))
    assert found is not None
    assert found[0] == pytest.approx(exact, rel=sketch.ACCURACY * 1.0001)


def test_reference_vectors(reference_data: Path) -> None:
    cases = json.loads((reference_data / "statistics" / "vectors.json").read_text())
    cases = cases["cases"] if isinstance(cases, dict) else cases
    checked = set()
    for case in cases:
        if case["category"] not in COVERED:
            continue
        checked.add(case["category"])
        inputs, expected = case["inputs"], case["expected"]
        if case["category"] == "sketch_quantiles":
            _check_sketch(inputs, expected)
        else:
            numbers = [value for value in inputs.values() if isinstance(value, int)]
            low, high = intervals.wilson(min(numbers), max(numbers))
            assert [low, high] == pytest.approx(expected["ci"], rel=1e-6)
    assert checked == COVERED


def _check_sketch(inputs: dict[str, Any], expected: dict[str, Any]) -> None:
    counts: dict[int, int] = {}
    for value in inputs["values"]:
        counts[sketch.key_of(value)] = counts.get(sketch.key_of(value), 0) + 1
    assert sketch.quantiles(counts, inputs["quantiles"]) == pytest.approx(
        list(expected["sketch"].values()), rel=1e-9
    )


@pytest.mark.parametrize("n", [20, 50, 100, 400])
@pytest.mark.parametrize("p", [0.005, 0.02, 0.1, 0.3, 0.5, 0.9, 0.98, 0.995])
def test_intervals_of_rates_cover(n: int, p: float) -> None:
    """Exact coverage: the sum of the binomial's mass where the interval holds p."""
    covered = 0.0
    for x in range(n + 1):
        estimate = intervals.share(x, n)
        assert estimate is not None
        assert estimate.low is not None
        assert estimate.high is not None
        if estimate.low <= p <= estimate.high:
            covered += float(stats.binom.pmf(x, n, p))
    assert covered >= 0.925


def test_the_interval_of_a_mean_is_students() -> None:
    values = [3.0, 4.5, 1.0, 9.0, 2.2]
    found = intervals.mean(5, sum(values), sum(v * v for v in values))
    expected = stats.t.interval(0.95, 4, loc=sum(values) / 5, scale=stats.sem(values))
    assert found is not None
    assert (found.low, found.high) == pytest.approx(expected)


def test_one_observation_has_a_value_and_no_interval() -> None:
    assert intervals.mean(1, 7.0, 49.0) == (7.0, None, None)
    assert intervals.mean(0, 0, 0) is None


def test_nothing_observed_is_null_and_never_zero() -> None:
    view = summarise({}, 60).model_dump()
    assert (view["sample"], view["errors"], view["feedback"]["count"]) == (0, [], 0)
    assert view["throughput_per_minute"] is None
    assert view["success_rate"] == {"value": None, "low": None, "high": None}
    assert view["tokens"] == dict.fromkeys(("input", "output", "cached", "reasoning"))
    assert view["cost_usd"] == {"total": None, "per_operation": None}


def test_a_summary_says_what_was_measured() -> None:
    (cell,) = fold_operations(
        (parsed(0, response_time_ms=ms, success=ms < 300), NOON_US, 1000)
        for ms in (100.0, 200.0, 400.0)
    ).values()
    view = summarise(cell, 60)
    assert view.sample == 3
    assert view.success_rate.value == pytest.approx(2 / 3)
    assert view.response_time_ms.mean == pytest.approx(700 / 3)
    assert view.response_time_ms.geometric_mean == pytest.approx(200, rel=1e-5)
    assert view.errors[0].type == "timeout"
    assert view.cost_usd.total == pytest.approx(3e-6)


def test_numbers_are_as_short_as_what_was_measured() -> None:
    for events in range(1, 50):
        cell = {"n": events, "cost_n": events, "cost_nano": 100_000_000 * events}
        cell |= {"conf_n": events, "brier": 90_000 * events, "k:8:c": 900_000 * events}
        cell |= {"k:8:o": events, "rt_us": 1_100 * events, f"d:{sketch.key_of(1.1)}": events}
        view = summarise(cell, 60)
        assert view.cost_usd == CostView(total=events / 10, per_operation=0.1)
        assert (view.confidence.brier, view.confidence.calibration_error) == (0.09, 0.1)
        assert (view.response_time_ms.mean, view.throughput_per_minute) == (1.1, events)
        for metric, value in (("cost_usd.total", events / 10), ("cost_usd.per_operation", 0.1)):
            estimate = METRICS[metric].take(cell, 60, 0.95)
            assert estimate is not None
            assert estimate.value == value


names = st.text(max_size=12)


@given(st.builds(Series, names, names, names, names), st.sampled_from(["n", "d:12", "e:a:b"]))
def test_fields_survive_whatever_they_are_made_of(series: Series, measure: str) -> None:
    assert keys.split_field(keys.field(series, measure)) == (series, measure)


def test_prices_are_dated_overridable_and_unknown_stays_unknown() -> None:
    lines = [
        PriceLine(model_id="own", valid_from=day, input_per_million=usd, output_per_million=0)
        for day, usd in ((datetime(2026, 1, 1, tzinfo=UTC).date(), 5.0),)
    ]
    price = price_table({"own": lines})
    usage = {"input_tokens": 1_000, "output_tokens": 10, "cost_usd": None}
    assert price(parsed(1, model_id="own", **usage)) == 5_000_000
    old = parsed(1, model_id="own", **usage)
    assert price(old.model_copy(update={"occurred_at": datetime(2025, 1, 1, tzinfo=UTC)})) is None
    assert price(parsed(1, model_id="nobody-knows", **usage)) is None
    assert price(parsed(1, cost_usd=0.25)) == 250_000_000
    known = price(parsed(1, model_id="gpt-4o-mini", provider="openai", **usage))
    assert known is not None
    assert known > 0
    assert math.isfinite(known)
