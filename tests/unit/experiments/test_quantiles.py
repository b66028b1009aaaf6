"""Percentiles of grouped sketches."""

import math

import numpy as np
import pytest

from shared.experiments import fixed, quantiles, relative
from shared.experiments.answers import Undefined
from shared.experiments.quantiles import Percentile
from shared.measures.sketch import LN_GAMMA, ZERO_KEY, key_of

CHANCE = np.random.default_rng(3)


def grouped(times: list[float], groups: int = 20) -> list[dict[int, int]]:
    found: list[dict[int, int]] = [{} for _ in range(groups)]
    for number, ms in enumerate(times):
        sketch, key = found[number % groups], key_of(ms)
        sketch[key] = sketch.get(key, 0) + 1
    return found


def test_values_inside_a_bin_are_interpolated() -> None:
    counts = {100: 4, 101: 4}
    assert quantiles.interpolated(counts, 0.25) == pytest.approx((99 + 0.5) * LN_GAMMA)
    assert quantiles.interpolated(counts, 0.5) == pytest.approx(100 * LN_GAMMA)
    assert quantiles.interpolated(counts, 0.75) == pytest.approx(100.5 * LN_GAMMA)
    assert quantiles.interpolated(counts, 1.0) == pytest.approx(101 * LN_GAMMA)
    assert quantiles.interpolated(counts, 0.0) == pytest.approx(99 * LN_GAMMA)


def test_a_percentile_is_that_of_the_values_and_its_error_that_of_theory() -> None:
    """Independent lognormal times: SE of ln Q is sqrt(v (1 - v) / n) / density."""
    times = CHANCE.lognormal(6, 0.8, 40_000)
    found = quantiles.percentile(grouped(times.tolist()), 0.95)
    assert isinstance(found, Percentile)
    assert found.ln == pytest.approx(math.log(np.quantile(times, 0.95)), abs=0.01)
    density = math.exp(-(1.6449**2) / 2) / math.sqrt(2 * math.pi) / 0.8
    # Twenty groups know the error itself to a sixth.
    assert found.se == pytest.approx(math.sqrt(0.95 * 0.05 / 40_000) / density, rel=0.5)
    assert (found.groups, found.operations) == (20, 40_000)


def test_a_slower_treatment_is_found_as_a_ratio() -> None:
    a, b = (CHANCE.lognormal(mu, 0.8, 20_000).tolist() for mu in (6, 6.3))
    diff = quantiles.difference(grouped(a), grouped(b))
    assert not isinstance(diff, Undefined)
    assert diff.df == 38
    found = relative.as_ratio(fixed.compare(diff))
    assert isinstance(found, relative.Lift)
    assert found.low < math.expm1(0.3) < found.high
    assert found.low > 0


def test_what_has_no_percentile() -> None:
    assert isinstance(quantiles.percentile([], 0.95), Undefined)
    assert isinstance(quantiles.percentile([{}, {}], 0.95), Undefined)
    assert isinstance(quantiles.percentile([{5: 100}, {}], 0.95), Undefined)  # one group
    assert isinstance(quantiles.percentile([{ZERO_KEY: 9}] * 20, 0.95), Undefined)
    whole = [{5: 100, 9: 10}] * 20
    empty = quantiles.difference(whole, [{}])
    assert isinstance(empty, Undefined)
    assert empty.reason.startswith("treatment")
    assert isinstance(quantiles.difference([{}], whole), Undefined)


def test_few_operations_cannot_bound_a_high_percentile() -> None:
    few = quantiles.percentile(grouped(CHANCE.lognormal(6, 0.8, 40).tolist()), 0.95)
    assert few == Undefined(quantiles.TOO_FEW)
    assert isinstance(
        quantiles.percentile(grouped(CHANCE.lognormal(6, 0.8, 40).tolist()), 0.5), Percentile
    )


def test_groups_that_agree_wholly_cannot_be_tested() -> None:
    diff = quantiles.difference([{5: 100, 9: 10}] * 20, [{6: 100, 9: 10}] * 20)
    assert not isinstance(diff, Undefined)
    found = fixed.compare(diff)
    assert (found.p, found.low) == (1, None)
    assert found.reason
