"""How many units, how long, and when there is no answer."""

import math
from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from statsmodels.stats.power import TTestIndPower

from shared.experiments import planner, progress
from shared.experiments.answers import Undefined
from shared.experiments.design import Design, Mode, Variances

SAME = Variances(1.0, 1.0)
ALWAYS_VALID = Design(mode=Mode.ALWAYS_VALID)


def number(found: float | Undefined) -> float:
    assert not isinstance(found, Undefined)
    return found


@given(
    st.floats(0.03, 1.5), st.floats(0.5, 0.99), st.floats(0.001, 0.2), st.sampled_from([0.5, 1, 3])
)
def test_units_for_a_mean_are_those_of_statsmodels(
    effect: float, power: float, alpha: float, split: float
) -> None:
    ours = number(planner.units_for_mean(SAME, effect, Design(alpha, power, split)))
    theirs = TTestIndPower().power(effect, ours, alpha, split)
    assume(not math.isnan(theirs))  # scipy's far tail, which ours must do without
    assert theirs == pytest.approx(power, abs=1e-6)


def test_huge_effects_need_hardly_any_units_and_no_nan() -> None:
    """Noncentrality above 8, where scipy has no far tail."""
    found = number(planner.units_for_mean(SAME, 50.0, Design(power=0.999)))
    assert 1 < found < 3


def test_a_fixed_look_is_the_cheapest_and_any_look_costs_at_most_1_91() -> None:
    fixed = number(planner.units_for_ratio(SAME, 0.01, Design()))
    hybrid = number(planner.units_for_ratio(SAME, 0.01, Design(mode=Mode.HYBRID)))
    always = number(planner.units_for_ratio(SAME, 0.01, ALWAYS_VALID))
    assert fixed == pytest.approx(2 * (1.959964 + 0.841621) ** 2 / 0.01**2, rel=1e-5)
    assert hybrid / fixed == pytest.approx(1.211, abs=0.001)
    assert always / fixed == pytest.approx(1.915, abs=0.001)


@pytest.mark.parametrize("planned", [200, 5_000, 40_000, 10**6])
def test_with_a_set_n_star_the_answer_fits_its_own_interval(planned: int) -> None:
    design = ALWAYS_VALID._replace(planned=planned)
    units = number(planner.units_for_ratio(SAME, 0.05, design))
    z = planner.quantile(0.8)
    assert units == pytest.approx((design.reach(2 * units) + z) ** 2 * 2 / 0.05**2, rel=1e-6)
    assert units >= number(planner.units_for_ratio(SAME, 0.05, ALWAYS_VALID)) * 0.999
    rate = number(planner.units_for_rate(0.1, 0.02, design))
    assert rate >= number(planner.units_for_rate(0.1, 0.02, Design()))


def test_arms_guardrails_and_covariates() -> None:
    def units(design: Design, variances: Variances = SAME) -> float:
        return number(planner.units_for_ratio(variances, 0.1, design))

    assert units(Design(treatments=3)) == pytest.approx(units(Design(alpha=0.05 / 3)))
    assert units(Design(guardrails=3)) == pytest.approx(units(Design(power=0.95)))
    assert units(Design(), planner.after_cuped(SAME, 0.7)) == pytest.approx(0.51 * units(Design()))
    assert units(Design(split=3)) == pytest.approx(units(Design()) * (1 + 1 / 3) / 2)
    assert planner.units_per_arm(100.2, 0.5) == (101, 51)


def test_rates_with_an_uneven_split() -> None:
    """As many units as the same formula asks for when the arms are counted the other way round."""
    one = number(planner.units_for_rate(0.1, 0.02, Design(split=2)))
    other = number(planner.units_for_rate(0.12, -0.02, Design(split=0.5)))
    assert 2 * one == pytest.approx(other)


def refusals() -> list[Callable[[], object]]:
    return [
        lambda: planner.units_for_rate(0.99, 0.02, Design()),
        lambda: planner.units_for_rate(0.0, 0.02, Design()),
        lambda: planner.units_for_rate(0.01, -0.02, Design()),
        lambda: planner.units_for_mean(Variances(0, 0), 0.1, Design()),
        lambda: planner.absolute_mde(0.02, 0.0, 1, 10**6),
        lambda: planner.absolute_mde(0.02, 1.0, 100, 899),
        lambda: progress.days_left(100, 50, []),
        lambda: progress.days_left(100, 50, [9, 0, 0, 0, 0, 0, 0, 0]),
        lambda: progress.days_left(100, 50, [9], gates_met=False),
        lambda: progress.power(0.1, 0.0, 100, Design()),
        lambda: progress.units_needed(100, 0.0, 0.1, Design()),
        lambda: progress.by_week(SAME, 0, 4, Design()),
        lambda: progress.by_week(Variances(0, 0), 10, 4, Design()),
    ]


@pytest.mark.parametrize("call", refusals())
def test_where_there_is_no_answer_there_is_a_reason(call: Callable[[], object]) -> None:
    found = call()
    assert isinstance(found, Undefined)
    assert found.reason


def test_a_relative_effect_needs_a_baseline() -> None:
    assert planner.absolute_mde(0.02, 1.0, 100, 900) == pytest.approx(0.02)


@pytest.mark.parametrize("design", [Design(), Design(mode=Mode.HYBRID), ALWAYS_VALID])
def test_what_can_be_seen_is_what_has_the_power(design: Design) -> None:
    mde = progress.detectable(0.5, 4_000, design)
    assert progress.power(mde, 0.5, 4_000, design) == pytest.approx(0.8, abs=1e-3)
    assert progress.units_needed(4_000, 0.5, mde, design) == pytest.approx(4_000)
    assert progress.units_needed(4_000, 0.5, mde / 2, design) == pytest.approx(16_000)


def test_days_left_are_at_the_mean_of_seven_days() -> None:
    assert progress.days_left(1_000, 300, [999, 10, 10, 10, 10, 10, 10, 10]) == pytest.approx(70)
    assert progress.days_left(1_000, 2_000, [10]) == 0


def test_weeks() -> None:
    weeks = progress.by_week(SAME, 100, 4, Design())
    assert not isinstance(weeks, Undefined)
    assert [week.units for week in weeks] == [700, 1_400, 2_100, 2_800]
    assert weeks[0].mde == pytest.approx(2 * weeks[3].mde)
    assert weeks[0].mde == pytest.approx(2.801585 * math.sqrt(2 / 350), rel=1e-6)
