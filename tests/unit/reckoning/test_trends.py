"""Trends: found where there are some, not where noise or its memory looks like one."""

import numpy as np
import pytest

from shared.reckoning.trends import trend

HOURS = 168


def test_a_trend_is_found_with_its_slope() -> None:
    chance = np.random.default_rng(1)
    found = trend(list(0.01 * np.arange(HOURS) + chance.normal(0, 0.2, HOURS)))
    assert found.direction == "rising"
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.01 < found.high
    falling = trend(list(-0.01 * np.arange(HOURS) + chance.normal(0, 0.2, HOURS)))
    assert falling.direction == "falling"


@pytest.mark.parametrize("memory", [0.0, 0.6])
def test_noise_is_no_trend_even_when_it_remembers(memory: float) -> None:
    chance = np.random.default_rng(2)
    runs, found = 200, 0
    for _ in range(runs):
        noise = chance.normal(0, 1, HOURS)
        for at in range(1, HOURS):
            noise[at] += memory * noise[at - 1]
        found += trend(list(noise)).direction != "steady"
    print(f"memory {memory}: {found / runs:.1%} of {runs} were called a trend")
    # Without the correction for memory it is 31 % at 0.6.
    assert found / runs <= (0.08 if memory == 0 else 0.15)


def test_part_of_a_day_is_no_trend() -> None:
    chance = np.random.default_rng(4)
    called = 0
    for hours in (10, 12, 18, 24, 48, 72, 168):
        for _ in range(30):
            phase = chance.uniform(0, 2 * np.pi)
            day = 30 * np.sin(2 * np.pi * np.arange(hours) / 24 + phase)
            found = trend(list(100 + day + chance.normal(0, 10, hours)))
            called += found.direction in ("rising", "falling")
    print(f"{called} of 210 pieces of a daily cycle were called a trend")
    assert called <= 8


def test_one_bad_hour_changes_nothing() -> None:
    chance = np.random.default_rng(3)
    values = list(0.01 * np.arange(HOURS) + chance.normal(0, 0.2, HOURS))
    before = trend(values)
    values[80] = 1e6
    after = trend(values)
    assert before.slope is not None
    assert after.slope == pytest.approx(before.slope, rel=0.05)


def test_gaps_are_left_out_and_little_is_unknown() -> None:
    known: list[float | None] = [float(at) if at % 2 else None for at in range(80)]
    found = trend(known)
    assert (found.direction, found.slope, found.points) == ("rising", 1.0, 40)
    assert trend([1.0, None, 2.0]).direction == "unknown"
    assert trend([]).direction == "unknown"
    flat = trend([5.0] * 80)
    assert (flat.direction, flat.slope, flat.p_value) == ("steady", 0, 1)
