"""Whole tests, simulated and answered look by look. In full by benchmarks/validity.py."""

import pytest

from tests.support import decisions
from tests.support.decisions import World
from tests.support.validity import Shares

SEED = 20_261_128
LEVEL = 0.05
# What one look finds in 80 % of runs: 2.8016 standard errors of a rate of 90 %, 10,000 an arm.
EFFECT = 2.8016 * (2 * 0.9 * 0.1 / 10_000) ** 0.5


def shown(label: str, found: Shares) -> Shares:
    print(label, ", ".join(f"{name} {share:.2%}" for name, share in found.items()))
    return found


def test_equal_variants_under_three_guardrails() -> None:
    """V9. Limits are those of 2,000 runs and three standard errors of these."""
    found = shown("V9:", decisions.verdicts(80, SEED, World()))
    assert found["SHIP"] <= 0.025 + 0.05
    assert found["STOP_HARM"] <= 0.08 + 0.09
    assert found["BROKEN"] <= 0.01 + 0.03


def test_a_variant_that_loses_one_unit_in_twenty() -> None:
    """V9: 28 days of 2,000 units."""
    lossy = World(loss=0.05, units=56_000, guarded=False)
    assert shown("V9, 5 % lost:", decisions.verdicts(60, SEED, lossy))["BROKEN"] >= 0.95


def test_the_power_to_ship() -> None:
    """V5, through all gates: 28 looks at 20,000 planned units."""
    found = decisions.verdicts(100, SEED, World(effect=EFFECT, guarded=False))
    assert shown("V5:", found)["SHIP"] >= 0.69 - 0.14
    more = decisions.verdicts(60, SEED, World(effect=1.5 * EFFECT, guarded=False))
    assert shown("V5, 1.5 x:", more)["SHIP"] >= 0.96 - 0.08


def test_weights_that_change_while_people_do() -> None:
    """Two epochs: combined they keep the level, pooled they do not."""
    found = shown("V1, two epochs:", decisions.changed_weights(400, SEED))
    assert found["always valid"] <= LEVEL
    assert found["pooled"] > 0.3


def test_intervals_cover() -> None:
    """V4. 1,000 runs: a standard error of 0.7 points."""
    found = shown("V4:", decisions.coverage(1_000, SEED))
    for name, share in found.items():
        least = 0.925 if name.startswith("rate") else 0.93
        if name == "ratio of 20 users":
            least = 0.92
        noise = 0.0 if name.startswith("rate") else 0.015
        if not name.startswith("raw"):
            assert share >= least - noise, name
    assert found["raw mean of 30 lognormal 1.5, one arm"] < 0.85


@pytest.mark.parametrize("units", [200])
def test_why_one_heavy_user_may_not_decide(units: int) -> None:
    """Of the error over units alone; `gates.dominated` keeps such a test undecided."""
    found = shown("one user of 90 %:", decisions.dominated(400, SEED, units=units))
    assert found["fixed, once"] > 0.5
