"""Adjusting for a unit's past: the same numbers as unit by unit, and refusals."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from numpy.random import Generator
from numpy.typing import NDArray

from shared.experiments import cuped, estimators, relative, sequential
from shared.experiments.answers import NO_OPERATIONS, Undefined
from shared.experiments.cuped import Adjusted
from shared.experiments.estimators import Arm, Difference
from shared.experiments.moments import Moments, Unit, of_units

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
Columns = NDArray[np.int64]


def columns(chance: Generator, count: int = 400, known: float = 1.0, lift: int = 0) -> Columns:
    """Units' (m, d, x, y, h): the past explains the present, and new units do less."""
    own = chance.normal(0, 300, count)
    h = (chance.random(count) < known).astype(np.int64)
    y = (1 + chance.poisson(5, count)) * h
    x = np.round(y * (1_000 + own + chance.normal(0, 100, count))).astype(np.int64)
    d = 1 + chance.poisson(5, count)
    m = d * (600 + 400 * h + own + chance.normal(0, 100, count))
    return np.column_stack([np.round(m).astype(np.int64) + lift * d, d, x, y, h])


def sums(units: Columns) -> Moments:
    return of_units(Unit(*row) for row in units.tolist())


def adjusted(found: Adjusted | Undefined) -> Adjusted:
    assert isinstance(found, Adjusted)
    return found


def apart(found: Adjusted) -> Difference:
    diff = estimators.difference(found.a, found.b)
    assert isinstance(diff, Difference)
    return diff


@pytest.fixture
def chance() -> Generator:
    return np.random.default_rng(11)


def test_a_mean_is_adjusted_as_unit_by_unit(chance: Generator) -> None:
    a, b = columns(chance), columns(chance, 500)
    found = adjusted(cuped.mean(sums(a), sums(b)))
    both = np.concatenate([a, b])
    theta = np.cov(both[:, 0], both[:, 2])[0, 1] / np.var(both[:, 2], ddof=1)
    assert found.theta == pytest.approx((theta,))
    rests = [units[:, 0] - theta * units[:, 2] for units in (a, b)]
    diff = apart(found)
    assert diff.effect == pytest.approx(rests[1].mean() - rests[0].mean())
    assert found.a.variance == pytest.approx(rests[0].var(ddof=1))
    assert found.b.variance == pytest.approx(rests[1].var(ddof=1))
    assert found.warning is None


def test_a_lift_divides_by_the_unadjusted_control(chance: Generator) -> None:
    a, b = sums(columns(chance)), sums(columns(chance, lift=100))
    found, raw = adjusted(cuped.ratio(a, b)), estimators.ratio(a)
    assert isinstance(raw, Arm)
    assert found.a.value == pytest.approx(raw.value)
    diff = apart(found)
    lift = relative.lift(diff, sequential.compare(diff), 3.0, baseline=raw)
    assert isinstance(lift, relative.Lift)
    assert lift.effect == pytest.approx(diff.effect / raw.value)


def test_new_units_are_a_covariate_of_their_own(chance: Generator) -> None:
    a, b = columns(chance, known=0.6), columns(chance, known=0.6)
    found = adjusted(cuped.mean(sums(a), sums(b)))
    both = np.concatenate([a, b]).astype(float)
    design = np.column_stack([np.ones(len(both)), both[:, 2], both[:, 4]])
    fitted = np.linalg.lstsq(design, both[:, 0], rcond=None)[0]
    assert found.theta == pytest.approx(tuple(fitted[1:]))
    rests = [u[:, 0] - u[:, [2, 4]] @ fitted[1:] for u in (a, b)]
    assert found.b.variance == pytest.approx(rests[1].var(ddof=1))
    assert apart(found).effect == pytest.approx(rests[1].mean() - rests[0].mean())


@pytest.mark.parametrize(("known", "covariates"), [(1.0, 1), (0.97, 1), (0.5, 2), (0.08, 2)])
def test_the_indicator_is_used_between_5_and_95_percent(
    chance: Generator, known: float, covariates: int
) -> None:
    arms = [sums(columns(chance, 2_000, known)) for _ in range(2)]
    assert len(adjusted(cuped.mean(*arms)).theta) == covariates
    assert len(adjusted(cuped.ratio(*arms)).theta) == covariates


def test_a_past_that_is_the_same_for_all_is_one_covariate(chance: Generator) -> None:
    units = columns(chance, known=0.5)
    units[:, 2] = 7 * units[:, 4]
    assert len(adjusted(cuped.mean(sums(units), sums(units))).theta) == 1


def test_a_ratio_is_adjusted_as_unit_by_unit(chance: Generator) -> None:
    a, b = columns(chance), columns(chance, 500)
    found = adjusted(cuped.ratio(sums(a), sums(b)))
    linear, ratios = [], []
    for m, d, x, y, _ in (units.T for units in (a, b)):
        now, past = m.sum() / d.sum(), x.sum() / y.sum()
        linear.append(((m - now * d) / d.mean(), (x - past * y) / y.mean()))
        ratios.append((now, past))
    crossed = [np.cov(z, w) for z, w in linear]
    theta = sum(c[0, 1] for c in crossed) / sum(c[1, 1] for c in crossed)
    assert found.theta == pytest.approx((theta,))
    (now_a, past_a), (now_b, past_b) = ratios
    assert apart(found).effect == pytest.approx(now_b - now_a - theta * (past_b - past_a))
    z, w = linear[1]
    assert found.b.variance == pytest.approx((z - theta * w).var(ddof=1))


@pytest.mark.parametrize("known", [1.0, 0.5])
def test_adjusted_ratios_hold_what_they_promise(chance: Generator, known: float) -> None:
    """Over 400 pairs of equal arms: the stated error is the real one, and smaller than the raw."""
    effects, errors, raw = [], [], []
    for _ in range(400):
        arms = [sums(columns(chance, 300, known)) for _ in range(2)]
        diff = apart(adjusted(cuped.ratio(*arms)))
        effects.append(diff.effect)
        errors.append(diff.se)
        plain = estimators.difference(*(estimators.ratio(arm) for arm in arms))
        assert isinstance(plain, Difference)
        raw.append(plain.se)
    print(f"real / stated error {np.std(effects) / np.mean(errors):.3f}")
    assert np.std(effects) == pytest.approx(np.mean(errors), rel=0.1)
    assert abs(np.mean(effects)) < 4 * np.mean(errors) / 20
    assert np.mean(errors) < 0.8 * np.mean(raw)


def test_unequal_pasts_are_warned_of(chance: Generator) -> None:
    a, b = columns(chance), columns(chance)
    b[:, 2] += 400 * b[:, 3]
    assert adjusted(cuped.mean(sums(a), sums(b))).warning == cuped.UNEQUAL
    assert adjusted(cuped.ratio(sums(a), sums(b))).warning == cuped.UNEQUAL


def test_refusals(chance: Generator) -> None:
    good = sums(columns(chance))
    few = sums(columns(chance, 99))
    new = sums(columns(chance, 1_000, known=0.02))
    still = columns(chance)
    still[:, 2] = 5
    certain = columns(chance)
    certain[:, 0] = certain[:, 1]
    for adjust in (cuped.mean, cuped.ratio):
        assert adjust(good, few) == Undefined(cuped.TOO_FEW)
        assert adjust(new, new) == Undefined(cuped.TOO_LITTLE_PAST)
    assert cuped.mean(sums(still), sums(still)) == Undefined(cuped.NO_SPREAD)
    assert cuped.ratio(good, sums(certain)) == Undefined(cuped.AT_AN_END)
    idle = columns(chance)
    idle[:, :2] = 0
    assert cuped.ratio(good, sums(idle)) == Undefined(NO_OPERATIONS)


def test_a_past_that_explains_all_leaves_nothing_to_test(chance: Generator) -> None:
    units = columns(chance, 301)
    units[:, 0] = 3 * units[:, 2] + 7
    diff = apart(adjusted(cuped.mean(sums(units[:150]), sums(units[150:]))))
    found = sequential.compare(diff)
    assert diff.effect == pytest.approx(0, abs=1e-6)
    assert (found.p, found.low) == (1, None)
    assert found.reason


def test_what_came_after_exposure_is_no_covariate() -> None:
    assert cuped.window(NOON) == (NOON - timedelta(days=14), NOON)
    assert cuped.is_before(NOON - timedelta(days=14), NOON)
    assert cuped.is_before(NOON - timedelta(microseconds=1), NOON)
    assert not cuped.is_before(NOON, NOON)
    assert not cuped.is_before(NOON - timedelta(days=15), NOON)
