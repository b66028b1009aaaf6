"""Intervals, p-values and bounds: they agree with each other, and with what they are made of."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from shared.experiments import fixed, margins, multiplicity, one_sided, ordinal, sequential
from shared.experiments.answers import Undefined
from shared.experiments.estimators import Arm, Difference, welch_df

UNITS = st.integers(20, 1_000_000)
LEVELS = st.floats(0.001, 0.2)


def diff(effect: float, se: float = 1.0, units: int = 5_000, control: float = 10.0) -> Difference:
    of_each = se * se / 2 * (units // 2)
    a, b = (
        Arm(units // 2, x, of_each, units // 2, units // 2) for x in (control, control + effect)
    )
    return Difference(effect, se, welch_df(1, units // 2, 1, units // 2), a, b)


def test_the_widths_at_the_planned_size() -> None:
    assert sequential.critical(5_000, 5_000) == pytest.approx(3.03521, abs=5e-6)
    assert one_sided.critical(5_000, 5_000) == pytest.approx(2.77909, abs=5e-6)


@given(UNITS, UNITS, LEVELS)
def test_p_is_alpha_where_the_interval_ends_at_zero(units: int, planned: int, alpha: float) -> None:
    z = sequential.critical(units, planned, alpha)
    assert sequential.log_p(z, units, planned, alpha) == pytest.approx(math.log(alpha), abs=1e-9)
    g = one_sided.critical(units, planned, alpha)
    assert one_sided.log_p(g, units, planned, alpha) == pytest.approx(math.log(alpha), abs=1e-9)


@given(st.floats(-60, 60), st.integers(40, 100_000), LEVELS)
def test_p_and_interval_decide_the_same(z: float, units: int, alpha: float) -> None:
    look = diff(z, units=units)
    for found in (
        sequential.compare(look, 5_000, alpha),
        sequential.hybrid(look, 5_000, alpha).comparison,
        fixed.compare(look, alpha),
    ):
        if abs(found.p - alpha) > 1e-9:
            assert found.excludes_zero == (found.p < alpha)
    harm = one_sided.harm(look, higher_is_better=False, alpha=alpha)
    if abs(harm.p - alpha) > 1e-9:
        assert harm.harmed == (harm.p < alpha)


def test_the_interval_is_tightest_near_the_planned_size() -> None:
    """In standard errors; c at N* is the least of c sqrt(1/N) relative to a fixed test."""
    widths = {n: sequential.critical(n, 5_000) for n in (50, 500, 5_000, 50_000, 500_000)}
    assert min(widths.values()) > 2.8
    assert widths[50] > widths[500] > widths[5_000]


def test_p_is_computed_where_numbers_end() -> None:
    assert sequential.log_p(1e4, 10**6) < -1e6
    assert one_sided.log_p(1e4, 10**6) < -1e6
    assert one_sided.log_p(1e-200, 100) == 0
    assert one_sided.log_p(-5, 100) == 0
    assert sequential.compare(diff(1e4)).p == 0
    assert sequential.compare(diff(0)).p == 1


class TestHybrid:
    """Half of alpha before the planned size, half at it."""

    def test_is_wider_than_always_valid_before_the_plan(self) -> None:
        look = sequential.hybrid(diff(3.1, units=4_998), 5_000)
        assert look.comparison.high is not None
        width = look.comparison.high - 3.1
        assert width == pytest.approx(sequential.critical(4_998, 5_000, 0.025))
        assert not look.frozen

    def test_tests_once_at_the_plan_and_is_frozen(self) -> None:
        look = sequential.hybrid(diff(2.3, units=5_000), 5_000)
        assert look.frozen
        assert look.comparison.high == pytest.approx(2.3 + fixed.student(1 - 0.0125, 4_998))
        assert look.comparison.p == pytest.approx(2 * fixed.compare(diff(2.3)).p)
        assert sequential.hybrid(diff(0.0, units=6_000), 5_000, before=look) == look


class TestHarm:
    """A guardrail."""

    def test_is_signed_by_what_is_worse(self) -> None:
        look = diff(-4.0)
        assert one_sided.harm(look, higher_is_better=True).harmed
        better = one_sided.harm(look, higher_is_better=False)
        assert (better.harmed, better.p) == (False, 1.0)

    def test_without_variance_is_no_harm_and_says_why(self) -> None:
        found = one_sided.harm(diff(1, se=0), higher_is_better=False)
        assert (found.harmed, found.p, found.bound) == (False, 1.0, None)
        assert found.reason


class TestMargins:
    """Not worse, or the same."""

    def test_a_relative_margin_adds_the_controls_own_error(self) -> None:
        look = diff(0, se=0.1)
        higher = margins.non_inferior(look, 2.0, higher_is_better=True)
        lower = margins.non_inferior(look, 2.0, higher_is_better=False)
        assert isinstance(higher, margins.Margin)
        assert isinstance(lower, margins.Margin)
        assert higher.contrast == pytest.approx(0.2)
        assert lower.contrast == pytest.approx(0.2)
        half = 0.1**2 / 2
        assert higher.bound == pytest.approx(0.2 - 2 * math.sqrt(half * (1 + 0.98**2)))
        assert lower.bound == pytest.approx(0.2 - 2 * math.sqrt(half * (1 + 1.02**2)))

    @pytest.mark.parametrize(("effect", "passes"), [(0.0, True), (-0.1, False), (0.1, True)])
    def test_higher_is_better(self, effect: float, passes: bool) -> None:
        found = margins.non_inferior(diff(effect, se=0.05), 2.78, higher_is_better=True)
        assert isinstance(found, margins.Margin)
        assert found.passed == passes
        mirrored = margins.non_inferior(diff(-effect, se=0.05), 2.78, higher_is_better=False)
        assert isinstance(mirrored, margins.Margin)
        assert mirrored.passed == passes

    def test_an_absolute_margin(self) -> None:
        absolute = margins.non_inferior_absolute
        assert absolute(diff(-0.5, 0.1), 2, higher_is_better=True, margin=0.8).passed
        assert not absolute(diff(-0.5, 0.1), 2, higher_is_better=True, margin=0.6).passed
        assert absolute(diff(0.5, 0.1), 2, higher_is_better=False, margin=0.8).passed
        assert not absolute(diff(0.5, 0.1), 2, higher_is_better=False, margin=0.6).passed

    @given(st.floats(-3, 3), st.floats(0.01, 1))
    def test_equivalence_is_both_bounds_inside(self, effect: float, se: float) -> None:
        found = margins.equivalent(diff(effect, se), 1.6449, 1.0)
        inside = effect - 1.6449 * se > -1 and effect + 1.6449 * se < 1
        assert found.bound is not None
        if abs(found.bound) > 1e-9:
            assert found.passed == inside

    def test_a_control_of_zero_has_no_relative_margin(self) -> None:
        found = margins.non_inferior(diff(0, control=0), 2, higher_is_better=True)
        assert isinstance(found, Undefined)

    def test_without_variance_nothing_passes(self) -> None:
        found = margins.equivalent(diff(0, se=0), 2, 1)
        assert (found.passed, found.bound) == (False, None)
        assert found.reason


@settings(max_examples=25)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_adjusted_p_values_are_those_of_statsmodels(p_values: list[float]) -> None:
    for ours, method in ((multiplicity.holm, "holm"), (multiplicity.benjamini_hochberg, "fdr_bh")):
        assert ours(p_values) == pytest.approx(multipletests(p_values, method=method)[1])


def test_no_p_values_are_no_p_values() -> None:
    assert multiplicity.holm([]) == multiplicity.benjamini_hochberg([]) == []


class TestRatings:
    """Brunner-Munzel."""

    def test_arms_change_places(self) -> None:
        a, b = [3, 1, 4, 1, 5], [9, 2, 6, 5, 3]
        one, other = ordinal.superiority(a, b), ordinal.superiority(b, a)
        assert isinstance(one, ordinal.Superiority)
        assert isinstance(other, ordinal.Superiority)
        assert one.probability + other.probability == pytest.approx(1)
        assert one.p == pytest.approx(other.p)

    @pytest.mark.parametrize(
        ("a", "b"),
        [([0, 0, 5], [0, 0, 7]), ([5, 0, 0], [0, 0, 5]), ([0, 0, 1], [3, 3, 3]), ([0, 0], [1, 2])],
        ids=["all the same", "wholly apart", "one rating", "none"],
    )
    def test_what_cannot_be_tested(self, a: list[int], b: list[int]) -> None:
        assert isinstance(ordinal.superiority(a, b), Undefined)
