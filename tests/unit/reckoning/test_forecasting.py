"""Forecasts: intervals that cover what they say, refusals that say why, bounds that hold."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.random import Generator
from numpy.typing import NDArray

from shared.reckoning.forecasting import Asked, damped_holt, forecast, seasonal_naive
from tests.support.amounts import amount

SEASON, HORIZON = 24, 24
RUNS = (3, 10, 25)[amount()]
Values = NDArray[np.float64]


def _daily(count: int) -> Values:
    return 100 + 30 * np.sin(2 * np.pi * np.arange(count) / SEASON)


def _noisy(chance: Generator, count: int) -> Values:
    return _daily(count) + chance.normal(0, 10, count)


def _counts(chance: Generator, count: int) -> Values:
    return chance.poisson(_daily(count)).astype(np.float64)


def _rising(chance: Generator, count: int) -> Values:
    return _noisy(chance, count) + 0.1 * np.arange(count)


def _sluggish(chance: Generator, count: int) -> Values:
    shocks = chance.normal(0, 7, count)
    for at in range(1, count):
        shocks[at] += 0.7 * shocks[at - 1]
    return _daily(count) + shocks


def asked(values: list[float | None], horizon: int = HORIZON, **changes: object) -> Asked:
    return Asked.model_validate({"values": values, "season": SEASON, "horizon": horizon, **changes})


@pytest.mark.parametrize("weeks", [2, 4])
def test_eighty_percent_intervals_cover_eighty_percent(weeks: int) -> None:
    """Over four kinds of series, some of each, 24 steps ahead."""
    chance = np.random.default_rng(weeks)
    count = weeks * 168
    kinds: list[Callable[[Generator, int], Values]] = [_noisy, _counts, _rising, _sluggish]
    hits = {"80": 0, "95": 0}
    for make in kinds:
        for _ in range(RUNS):
            series = make(chance, count + HORIZON)
            found = forecast(asked(list(series[:count])))
            for point, value in zip(found.points, series[count:], strict=True):
                assert point.low_80 is not None
                assert point.high_80 is not None
                assert point.low_95 is not None
                assert point.high_95 is not None
                hits["80"] += point.low_80 <= value <= point.high_80
                hits["95"] += point.low_95 <= value <= point.high_95
    total = len(kinds) * RUNS * HORIZON
    print(f"{weeks} weeks: 80 % covers {hits['80'] / total:.1%}, 95 % {hits['95'] / total:.1%}")
    slack = 0 if amount() else 0.05  # a few series say less
    assert 0.75 - slack <= hits["80"] / total <= 0.85 + slack
    assert 0.92 - slack <= hits["95"] / total


def test_the_naive_method_stays_unless_it_is_beaten() -> None:
    chance = np.random.default_rng(3)
    repeated = np.resize(chance.normal(100, 30, SEASON), 336)
    found = forecast(asked(list(repeated)))
    assert (found.method, found.mase) == ("seasonal_naive", None)
    assert [round(one.value, 6) for one in found.points] == [round(v, 6) for v in repeated[:24]]
    drifting = forecast(asked(list(_noisy(chance, 336) + np.arange(336))))
    assert drifting.method == "damped_holt"
    assert drifting.mase is not None
    assert drifting.mase < 1


def test_each_method_continues_what_it_sees() -> None:
    assert list(seasonal_naive(np.arange(10.0), 4, 6)) == [6, 7, 8, 9, 6, 7]
    assert np.allclose(damped_holt(np.full(96, 5.0), SEASON, 3), 5)
    ahead = damped_holt(_daily(336), SEASON, SEASON)
    assert np.abs(ahead - _daily(336 + SEASON)[336:]).max() < 1


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([], "too little history"),
        ([1.0] * 60, "too little history"),
        ([None] * 500 + [1.0] * 60, "too little history"),
        ([1.0, None, None, 2.0] * 100, "too many gaps"),
    ],
)
def test_where_little_is_known_nothing_is_claimed(values: list[float | None], why: str) -> None:
    found = forecast(asked(values))
    assert found.refusal is not None
    assert found.refusal.startswith(why)
    assert (found.points, found.method, found.breach) == ([], None, None)


def test_an_interval_needs_enough_past_origins() -> None:
    chance = np.random.default_rng(4)
    # Two seasons, the horizon, and four origins: enough for 80 %, not for 95 %.
    found = forecast(asked(list(_noisy(chance, 2 * SEASON + HORIZON + 4))))
    assert all(one.low_80 is not None and one.low_95 is None for one in found.points)


def test_no_value_passes_its_bounds_and_intervals_hold_their_middle() -> None:
    chance = np.random.default_rng(5)
    shares = np.clip(chance.normal(0.97, 0.05, 336), 0, 1)
    for one in forecast(asked(list(shares), least=0, most=1)).points:
        ends = (one.low_95, one.low_80, one.value, one.high_80, one.high_95)
        assert None not in ends
        assert list(ends) == sorted(ends, key=lambda end: -math.inf if end is None else end)
        assert 0 <= one.value <= 1


def test_a_breach_is_an_interval_of_time() -> None:
    chance = np.random.default_rng(6)
    rising = np.arange(336) + chance.normal(0, 0.5, 336)
    found = forecast(asked(list(rising), limit=345.0))
    assert found.breach is not None
    earliest, latest = found.breach.earliest, found.breach.latest
    assert earliest is not None
    assert latest is not None
    assert 1 <= earliest <= 10 <= latest
    never = forecast(asked(list(_noisy(chance, 336)), limit=10_000.0))
    assert never.breach is not None
    assert (never.breach.earliest, never.breach.latest) == (None, None)
    down = forecast(asked(list(-rising), limit=-345.0, is_upper=False))
    assert down.breach is not None
    assert down.breach.earliest is not None


def test_a_breach_is_told_by_its_own_hour_also_beside_gaps() -> None:
    rising: list[float | None] = [float(at) for at in range(2 * SEASON + HORIZON + 6)]
    rising[50] = rising[51] = None
    found = forecast(asked(rising, limit=85.0))
    assert found.breach is not None
    worst = [one.high_95 if one.high_95 is not None else one.high_80 for one in found.points]
    first = next(at for at, end in enumerate(worst, 1) if end is not None and end > 85)
    assert found.breach.earliest == first


def test_cents_are_forecast_as_dollars_are() -> None:
    dollars = _noisy(np.random.default_rng(7), 336)
    first, second = forecast(asked(list(dollars))), forecast(asked(list(dollars * 1e-5)))
    assert first.method == second.method
    for one, other in zip(first.points, second.points, strict=True):
        assert other.value == pytest.approx(one.value * 1e-5, rel=1e-6)
