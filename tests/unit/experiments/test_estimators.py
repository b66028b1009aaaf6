"""Values and errors of one arm, and of two."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.experiments import cells, estimators, fixed, relative, sequential, spread
from shared.experiments.answers import Comparison, Undefined
from shared.experiments.cells import Cell
from shared.experiments.estimators import Arm, Difference
from shared.experiments.moments import Moments, Unit, of_units

PAIRS = st.lists(
    st.integers(1, 40).flatmap(lambda d: st.tuples(st.integers(0, d), st.just(d))),
    min_size=2,
    max_size=30,
)


def arm(value: float, squared_error: float, units: int = 100) -> Arm:
    return Arm(units, value, squared_error * units, units, units)


def apart(a: Arm, b: Arm) -> Difference:
    found = estimators.difference(a, b)
    assert isinstance(found, Difference)
    return found


@given(PAIRS)
def test_a_ratio_varies_as_its_linearised_units(pairs: list[tuple[int, int]]) -> None:
    found = estimators.ratio(of_units(Unit(m, d) for m, d in pairs))
    assert isinstance(found, Arm)
    each = statistics.mean(d for _, d in pairs)
    linear = [(m - found.value * d) / each for m, d in pairs]
    assert found.variance == pytest.approx(statistics.variance(linear), rel=1e-9, abs=1e-15)
    of_floats = estimators.ratio_of_spread(spread.of_units((float(m), float(d)) for m, d in pairs))
    assert isinstance(of_floats, Arm)
    assert of_floats.value == pytest.approx(found.value)
    assert of_floats.variance == pytest.approx(found.variance, rel=1e-6, abs=1e-12)


def test_equal_ratios_have_a_variance_of_exactly_nothing() -> None:
    """Thirds are not exact in floating point: what is left would make any effect significant."""
    units = [Unit(d, 3 * d) for d in range(1, 50)]
    whole, floats = (
        estimators.ratio(of_units(us))
        for us in (units, [Unit(unit.m / 7, unit.d / 7) for unit in units])
    )
    assert isinstance(whole, Arm)
    assert isinstance(floats, Arm)
    assert whole.variance == floats.variance == 0


def test_at_a_hundred_percent_two_units_are_added_for_the_error() -> None:
    certain = estimators.rate(of_units([Unit(4, 4), Unit(6, 6)] * 10))
    padded = estimators.ratio(of_units([*[Unit(4, 4), Unit(6, 6)] * 10, Unit(5, 5), Unit(0, 5)]))
    assert isinstance(certain, Arm)
    assert isinstance(padded, Arm)
    assert (certain.value, certain.units, certain.counted) == (1.0, 20, 22)
    assert certain.squared_error == pytest.approx(padded.squared_error)
    assert certain.squared_error > 0


def test_a_binary_at_its_ends() -> None:
    nobody = estimators.binary(Moments(48, 0, 0, 48, 48, 0))
    assert isinstance(nobody, Arm)
    assert nobody.value == 0
    assert nobody.squared_error == pytest.approx((1 / 50) * (49 / 50) / 50)


def test_response_times_compare_as_a_ratio_of_geometric_means() -> None:
    chance = np.random.default_rng(5)
    slow, fast = (np.exp(chance.normal(mu, 0.5, 4_000)) for mu in (6.5, 6.4))
    arms = [
        estimators.mean(of_units(Unit(round(1e6 * math.log(ms)), 1) for ms in times), 1e-6)
        for times in (slow, fast)
    ]
    diff = estimators.difference(*arms)
    assert isinstance(diff, Difference)
    lift = relative.as_ratio(fixed.compare(diff))
    assert isinstance(lift, relative.Lift)
    expected = statistics.geometric_mean(fast) / statistics.geometric_mean(slow) - 1
    assert lift.effect == pytest.approx(expected, rel=1e-5)
    assert lift.low < math.expm1(-0.1) < lift.high


def test_degrees_of_freedom_are_those_of_the_smaller_arm_when_it_is_much_smaller() -> None:
    diff = apart(arm(1, 1, units=5), arm(1, 1e-6, units=100_000))
    assert diff.df == pytest.approx(4, rel=1e-3)
    tiny = apart(arm(1, 1e-200, units=5), arm(1, 1e-200, units=5))
    assert tiny.df == pytest.approx(8)


class TestRelativeLift:
    """For the eyes only; it never says other than D."""

    def test_is_the_log_ratio(self) -> None:
        diff = apart(arm(2.0, 0.01), arm(2.2, 0.01))
        lift = relative.lift(diff, Comparison(0.2, -0.1, 0.5, 0.3), 2.0)
        assert isinstance(lift, relative.Lift)
        half = 2 * math.sqrt(0.01 / 4 + 0.01 / 4.84)
        assert lift.low == pytest.approx(1.1 * math.exp(-half) - 1)
        assert lift.high == pytest.approx(1.1 * math.exp(half) - 1)

    @pytest.mark.parametrize("value", [0.0, -1.0, 0.29])
    def test_needs_a_baseline_that_is_not_zero(self, value: float) -> None:
        diff = apart(arm(value, 0.01), arm(1, 0.01))
        found = relative.lift(diff, fixed.compare(diff))
        assert found == Undefined("baseline not distinguishable from 0")

    def test_needs_the_baseline_before_an_adjustment(self) -> None:
        diff = apart(arm(1, 0.01), arm(1, 0.01))
        found = relative.lift(diff, fixed.compare(diff), baseline=arm(1, 0.2))
        assert isinstance(found, Undefined)

    def test_a_treatment_of_zero_has_no_logarithm(self) -> None:
        diff = apart(arm(1, 0.01), arm(0, 0.01))
        assert isinstance(relative.lift(diff, fixed.compare(diff)), Undefined)

    def test_is_extended_to_zero_where_the_difference_covers_it(self) -> None:
        diff = apart(arm(1, 0.0001), arm(1.5, 0.0001))
        lift = relative.lift(diff, Comparison(0.5, -0.01, 1.01, 0.06), 2.0)
        assert isinstance(lift, relative.Lift)
        assert lift.low == 0 < lift.high

    def test_is_not_shown_where_only_the_difference_excludes_zero(self) -> None:
        diff = apart(arm(1, 0.01), arm(1.1, 0.01))
        found = relative.lift(diff, Comparison(0.1, 0.01, 0.19, 0.04), 2.0)
        assert found == Undefined(relative.ABSOLUTE_ONLY)

    @given(st.floats(0.5, 2), st.floats(1e-6, 0.02), st.floats(0.01, 2), st.floats(1e-6, 0.02))
    def test_never_contradicts_the_difference(
        self, a: float, of_a: float, b: float, of_b: float
    ) -> None:
        diff = apart(arm(a, of_a), arm(b, of_b))
        for decided, critical in (
            (fixed.compare(diff), None),
            (sequential.compare(diff), sequential.critical(diff.units)),
        ):
            lift = relative.lift(diff, decided, critical)
            if isinstance(lift, relative.Lift):
                assert (lift.low > 0 or lift.high < 0) == decided.excludes_zero


class TestCells:
    """Groups of units by a hash."""

    def test_agree_with_the_units(self) -> None:
        """1,024 cells of 2,000 users, ten operations each; the mean of fifty tries."""
        ratios = []
        for seed in range(50):
            chance = np.random.default_rng(seed)
            d = 1 + chance.poisson(9, 2_000)
            m = chance.binomial(d, chance.beta(8, 2, 2_000))
            place = chance.integers(0, 1_024, 2_000)
            grouped = [
                Cell(int(cm), int(cd))
                for cm, cd in zip(
                    np.bincount(place, m, 1_024), np.bincount(place, d, 1_024), strict=True
                )
            ]
            by_cell = cells.ratio(grouped)
            by_unit = estimators.ratio(
                of_units(Unit(*pair) for pair in zip(m.tolist(), d.tolist(), strict=True))
            )
            assert isinstance(by_cell, Arm)
            assert isinstance(by_unit, Arm)
            assert by_cell.value == pytest.approx(by_unit.value)
            ratios.append(math.sqrt(by_cell.squared_error / by_unit.squared_error))
        print(f"SE by cells / SE by units: {statistics.mean(ratios):.4f}")
        assert statistics.mean(ratios) == pytest.approx(1, abs=0.015)

    def test_add_over_windows_of_time(self) -> None:
        monday, tuesday = [Cell(1, 2), Cell(0, 0), Cell(3, 3)], [Cell(1, 1), Cell(2, 5), Cell(0, 1)]
        week = cells.added(monday, tuesday)
        assert week == [Cell(2, 3), Cell(2, 5), Cell(3, 4)]
        found = cells.ratio(week)
        assert isinstance(found, Arm)
        assert found.value == pytest.approx(7 / 12)
        assert cells.difference(found, found).df == 4

    @pytest.mark.parametrize("given", [[], [Cell(0, 0)], [Cell(3, 4)], [Cell(3, 4), Cell(0, 0)]])
    def test_one_cell_says_nothing(self, given: list[Cell]) -> None:
        assert isinstance(cells.ratio(given), Undefined)
