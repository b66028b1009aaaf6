"""Whole tests, simulated: how often are the decisions wrong? In full by benchmarks/validity.py."""

import pytest

from shared.experiments import sequential
from tests.support import validity
from tests.support.chance import ONE_VALUE
from tests.support.shards import shards
from tests.support.validity import Shares

SEED = 20_261_128
LEVEL = 0.05
RUNS = 600
CHANCE = 3 * (LEVEL * (1 - LEVEL) / RUNS) ** 0.5  # what so few runs may be off


def shown(label: str, found: Shares) -> Shares:
    print(label, ", ".join(f"{name} {share:.2%}" for name, share in found.items()))
    return found


@pytest.mark.parametrize("name", ONE_VALUE)
def test_a_hundred_looks_at_equal_arms(name: str) -> None:
    """V1."""
    found = shown(f"V1 {name}:", validity.peeking(name, RUNS, SEED))
    assert found["always valid"] <= LEVEL
    assert found["hybrid"] <= LEVEL
    assert found["harm"] <= LEVEL
    assert found["fixed, once"] == pytest.approx(LEVEL, abs=CHANCE)


def test_a_fixed_interval_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What V1 is worth: with 1.96 standard errors it finds an effect in a third of equal arms."""
    monkeypatch.setattr(sequential, "critical", lambda *_: 1.96)
    found = shown("V1 with 1.96:", validity.peeking("normal", 100, SEED))
    assert found["always valid"] > 4 * LEVEL
    assert found["always valid"] == pytest.approx(found["fixed, peeking"], abs=0.03)


@pytest.mark.parametrize("name", ["bernoulli 0.9", "bernoulli 0.02", "lognormal 1.5"])
def test_a_look_after_every_pair_of_units(name: str) -> None:
    """V2."""
    found = shown(f"V2 {name}:", validity.every_pair(name, 60, SEED))
    assert found["always valid"] <= LEVEL
    assert found["contradiction"] == 0


@pytest.mark.parametrize("heavy", [False, True])
def test_users_with_many_operations(heavy: bool) -> None:
    """V3; operations taken as units show that these users are alike indeed."""
    found = shown(f"V3 heavy={heavy}:", validity.clustered(RUNS, SEED, heavy=heavy))
    assert found["fixed, once"] == pytest.approx(LEVEL, abs=CHANCE)
    assert found["always valid, daily"] <= LEVEL
    assert found["operations as units"] > 3 * LEVEL


def test_the_percentile_of_users_with_many_operations() -> None:
    """V4, of two equal arms."""
    found = shown("V4 p95:", validity.percentile(RUNS, SEED))
    assert 0.035 <= found["p95"] <= 0.075


@pytest.mark.parametrize("units", [25, 40, 100, 200])
def test_the_percentile_of_few_operations_is_not_told(units: int) -> None:
    """One operation each. With ends cut off at the sample, 27 % of 25 and 12 % of 40 reject."""
    found = shown(f"V4 p95 of {units}:", validity.percentile(400, SEED, units=units, more=0))
    assert found.get("p95", 0) <= 0.075
    assert (found.get("undefined", 0) == 1) == (units < 60)


@pytest.mark.parametrize(("units", "most"), [(20, 0.08), (50, 0.07)])
def test_rates_of_few_users(units: int, most: float) -> None:
    """V4."""
    found = shown(f"V4 {units} users:", validity.clustered(RUNS, SEED, heavy=False, units=units))
    assert found["fixed, once"] <= most


def test_a_treatment_at_the_margin_passes_for_not_inferior_no_more_often_than_it_may() -> None:
    found = shown("at the margin:", validity.at_the_margin(300, SEED))
    assert found["not inferior"] <= LEVEL


def test_the_power_that_is_left() -> None:
    """V5: 20,000 units, 28 looks, an effect that one look would find in 80 %.

    Of a Brownian motion, simulated apart: hybrid 71.6 and 97.5 %, always valid 50.0 and 91.1 %.
    """
    mde = 2.8016 * 20 * (2 / 10_000) ** 0.5
    found = shown("V5 80 %:", validity.peeking("normal", 2_000, SEED, looks=28, effect=mde))
    assert found["hybrid"] >= 0.69
    assert found["always valid"] >= 0.47
    more = shown("V5 1.5 x:", validity.peeking("normal", 500, SEED, looks=28, effect=1.5 * mde))
    assert more["hybrid"] >= 0.96
    assert more["always valid"] >= 0.88


def test_a_split_as_promised_and_one_that_loses_units() -> None:
    """V6, with the chi-square beside the sequential test. Its daily p < 0.05 is no alarm."""
    right = shown("V6:", validity.split_mismatch(400, SEED))
    assert right["verdict"] <= 0.01
    assert right["chi-square < 0.05, daily"] > 0.2
    lossy = shown("V6, 5 % lost:", validity.split_mismatch(150, SEED, loss=0.05))
    assert lossy["sequential"] >= 0.98


def test_shards_duplicates_and_disorder() -> None:
    """V8."""
    found = shown("V8:", shards(100_000, SEED))
    assert found["sums that differ"] == 0
    assert found["difference over SE"] < 1e-9


def test_an_adjusted_mean_under_daily_looks() -> None:
    """V10."""
    found = shown("V10:", validity.cuped_peeking(400, SEED))
    assert found["always valid"] <= LEVEL
    assert found["error left"] == pytest.approx((1 - 0.7**2) ** 0.5, rel=0.03)
