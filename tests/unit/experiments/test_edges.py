"""Where nothing can be computed: a reason, never a number made up."""

import math

import pytest

from shared.experiments import (
    estimators,
    fixed,
    margins,
    one_sided,
    planner,
    sequential,
    spread,
    srm,
    values,
    winsorising,
)
from shared.experiments.answers import (
    NO_OPERATIONS,
    NO_UNITS,
    ONE_UNIT,
    Undefined,
    checked_level,
)
from shared.experiments.design import Design, Variances
from shared.experiments.estimators import Difference
from shared.experiments.fixed import Counts
from shared.experiments.moments import EMPTY, Moments, Unit, of_units
from shared.measures.sketch import key_of


def apart(a: Moments, b: Moments, estimate: object = estimators.mean) -> Difference:
    assert callable(estimate)
    found = estimators.difference(estimate(a), estimate(b))
    assert isinstance(found, Difference)
    return found


ESTIMATES = [estimators.mean, estimators.binary, estimators.ratio, estimators.rate]


@pytest.mark.parametrize("estimate", ESTIMATES)
def test_no_units_and_one_unit(estimate: object) -> None:
    assert callable(estimate)
    assert estimate(EMPTY) == Undefined(NO_UNITS)
    assert estimate(of_units([Unit(1, 1)])) == Undefined(ONE_UNIT)
    enough = estimate(of_units([Unit(1, 1), Unit(0, 1)]))
    assert estimators.difference(estimate(EMPTY), enough) == Undefined("control: no units yet")
    assert isinstance(estimators.difference(enough, estimate(EMPTY)), Undefined)


def test_no_units_and_one_unit_of_floats() -> None:
    for estimate in (estimators.mean_of_spread, estimators.ratio_of_spread):
        assert estimate(spread.NOTHING) == Undefined(NO_UNITS)
        assert estimate(spread.of_units([(1.0, 1.0)])) == Undefined(ONE_UNIT)


def test_no_variance_in_either_arm() -> None:
    for effect in (0, 1):
        diff = apart(of_units([Unit(2, 1)] * 50), of_units([Unit(2 + effect, 1)] * 50))
        for found in (
            fixed.compare(diff),
            sequential.compare(diff),
            sequential.hybrid(diff, 5_000).comparison,
        ):
            assert (found.effect, found.p, found.low, found.high) == (effect, 1.0, None, None)
            assert found.reason is not None
            assert "cannot test" in found.reason
            assert not found.excludes_zero


def test_no_variance_in_one_arm() -> None:
    diff = apart(of_units([Unit(2, 1)] * 50), of_units([Unit(2, 1), Unit(4, 1)] * 25))
    assert diff.df == pytest.approx(49)
    assert 0 < fixed.compare(diff).p < 1


@pytest.mark.parametrize("successes", [0, 50])
@pytest.mark.parametrize("estimate", [estimators.binary, estimators.rate])
def test_both_arms_at_the_same_end(successes: int, estimate: object) -> None:
    """0 % against 0 %, 100 % against 100 %."""
    arm = of_units([Unit(int(successes > 0), 1)] * 50)
    diff = apart(arm, arm, estimate)
    assert fixed.compare(diff).p == sequential.compare(diff).p == 1
    interval = fixed.newcombe(Counts(successes, 50), Counts(successes, 50))
    assert not isinstance(interval, Undefined)
    low, high = interval
    assert low < 0 < high
    assert low == pytest.approx(-high)
    z = fixed.two_proportions(Counts(successes, 50), Counts(successes, 50))
    assert isinstance(z, fixed.ZTest)
    assert (z.z, z.p) == (None, 1.0)
    assert z.reason


def test_no_units_have_no_interval() -> None:
    assert fixed.newcombe(Counts(0, 0), Counts(1, 5)) == Undefined(NO_UNITS)
    assert fixed.two_proportions(Counts(1, 5), Counts(0, 0)) == Undefined(NO_UNITS)


def test_no_operations() -> None:
    for units in ([Unit(0, 0)], [Unit(0, 0)] * 30):
        assert estimators.ratio(of_units(units)) == Undefined(NO_OPERATIONS)
        assert estimators.rate(of_units(units)) == Undefined(NO_OPERATIONS)
    nothing = spread.of_units([(0.0, 0.0)] * 30)
    assert estimators.ratio_of_spread(nothing) == Undefined(NO_OPERATIONS)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (math.nan, "not a number"),
        (math.inf, "infinite"),
        (-math.inf, "infinite"),
        (-0.01, "negative"),
        (0.0, None),
        (3.5, None),
    ],
)
def test_values_that_are_not_counted(value: float, why: str | None) -> None:
    assert values.rejection(value) == why


def test_a_change_may_be_negative() -> None:
    assert values.rejection(-1.0, may_be_negative=True) is None


def test_integers_of_values() -> None:
    assert values.micro(0.0000014) == 1
    assert values.ln_micro(math.e) == 1_000_000
    assert values.ln_micro(0) == values.ln_micro(1e-3)
    halves = [(5, 2), (7, 2), (-5, 2), (-7, 2), (7, 3), (-7, 3), (6, 3)]
    assert [values.rounded_mean(*half) for half in halves] == [2, 4, -2, -4, 2, -2, 2]


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, 5.0, math.nan])
def test_a_level_is_inside_zero_and_one(alpha: float) -> None:
    diff = apart(of_units([Unit(1, 1), Unit(2, 1)]), of_units([Unit(1, 1), Unit(2, 1)]))
    for call in (
        lambda: checked_level(alpha),
        lambda: fixed.compare(diff, alpha),
        lambda: sequential.compare(diff, 5_000, alpha),
        lambda: sequential.hybrid(diff, 5_000, alpha),
        lambda: one_sided.harm(diff, higher_is_better=True, alpha=alpha),
        lambda: Design(alpha=alpha).level,
    ):
        with pytest.raises(ValueError, match="alpha"):
            call()


def test_a_one_sided_level_is_below_one_half() -> None:
    with pytest.raises(ValueError, match="alpha"):
        one_sided.critical(100, 5_000, 0.5)


@pytest.mark.parametrize("mde", [0.0, -1.0, math.nan, math.inf])
def test_an_effect_to_be_found_is_above_zero(mde: float) -> None:
    diff = apart(of_units([Unit(1, 1), Unit(2, 1)]), of_units([Unit(1, 1), Unit(2, 1)]))
    for call in (
        lambda: margins.equivalent(diff, 2, mde),
        lambda: margins.non_inferior(diff, 2, higher_is_better=True, margin=mde),
        lambda: planner.units_for_mean(Variances(1, 1), mde, Design()),
        lambda: planner.absolute_mde(mde, 1, 1, 100),
    ):
        with pytest.raises(ValueError, match=r"MDE|margin"):
            call()


def test_one_arm_against_hundred_thousands() -> None:
    few = of_units(Unit(x, 1) for x in (1, 2, 3, 4, 5))
    many = Moments(400_000, 1_200_000, 4_400_000, 400_000, 400_000, 1_200_000)
    assert apart(few, many).df == pytest.approx(4, rel=0.001)


class TestWinsorising:
    """The limit comes from the time before."""

    def test_is_the_value_of_its_rank(self) -> None:
        assert winsorising.limit(list(range(1_001))) == 999
        assert winsorising.limit([*range(1_000), 10**9]) == 999

    def test_of_a_sketch_is_within_its_accuracy(self) -> None:
        found = winsorising.limit_of_sketch({key_of(5.0): 999, key_of(700.0): 5})
        assert found == pytest.approx(700, rel=0.01)

    def test_needs_a_thousand_values(self) -> None:
        assert isinstance(winsorising.limit([1.0] * 999), Undefined)
        assert isinstance(winsorising.limit_of_sketch({3: 999}), Undefined)

    def test_cuts_what_is_above(self) -> None:
        assert [winsorising.winsorised(x, 5.0) for x in (4.0, 5.0, 6.0)] == [4.0, 5.0, 5.0]
        assert winsorising.winsorised(6.0, None) == 6.0


def test_a_replay_in_any_order_is_the_same_to_the_last_bit() -> None:
    units = [Unit(m, 1 + m % 7) for m in range(200)]
    control = of_units([Unit(3, 4), Unit(4, 5), Unit(2, 6)])
    looks = {
        sequential.compare(apart(control, of_units(order), estimators.ratio))
        for order in (units, units[::-1], units[100:] + units[:100])
    }
    assert len(looks) == 1
    assert srm.look(srm.START, [3, 200], [0.5, 0.5]) == srm.look(srm.START, [3, 200], [0.5, 0.5])
