"""How often decisions are wrong: whole simulated tests, decided by the functions that users get.

Every function takes a number of runs and a seed and answers with shares of runs. The unit tests run
few of them; 2,000 runs have a standard error of 0.49 points at 5 %.
"""

from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from shared.experiments import (
    cuped,
    estimators,
    fixed,
    margins,
    one_sided,
    quantiles,
    relative,
    sequential,
    srm,
)
from shared.experiments.answers import Undefined
from shared.experiments.estimators import Difference, Estimated
from shared.experiments.moments import Moments
from tests.support.chance import DAYS, ONE_VALUE, sketches, sums_at, users, with_past

Shares = dict[str, float]


def peeking(
    name: str,
    runs: int,
    seed: int,
    *,
    units: int = 10_000,
    looks: int = 100,
    effect: float = 0.0,
) -> Shares:
    """V1, V5: one value a unit, so many looks until `units` an arm. Shares of runs that decide."""
    chance = np.random.default_rng(seed)
    at = np.linspace(units / looks, units, looks).astype(np.int64)
    decided: Counter[str] = Counter()
    for _ in range(runs):
        diffs = list(_looks(name, chance, at, effect))
        decided["always valid"] += any(_always_valid(diff, 2 * units) for diff in diffs)
        decided["hybrid"] += _hybrid(diffs, 2 * units)
        decided["harm"] += any(
            one_sided.harm(diff, higher_is_better=True, planned=2 * units).harmed for diff in diffs
        )
        decided["fixed, once"] += fixed.compare(diffs[-1]).excludes_zero
        decided["fixed, peeking"] += any(fixed.compare(diff).excludes_zero for diff in diffs)
    return _shares(decided, runs)


def every_pair(name: str, runs: int, seed: int, *, first: int = 10, last: int = 3_000) -> Shares:
    """V2: a look after every pair of units, until a decision; do D and the lift disagree?"""
    chance = np.random.default_rng(seed)
    at = np.arange(first, last + 1)
    decided: Counter[str] = Counter({"always valid": 0, "contradiction": 0})
    for _ in range(runs):
        for diff in _looks(name, chance, at, 0.0):
            found = sequential.compare(diff)
            lift = relative.lift(diff, found, sequential.critical(diff.units))
            if isinstance(lift, relative.Lift):
                shown = lift.low > 0 or lift.high < 0
                decided["contradiction"] += shown != found.excludes_zero
            if found.excludes_zero:
                decided["always valid"] += 1
                break
    return _shares(decided, runs)


def clustered(runs: int, seed: int, *, heavy: bool, units: int = 500) -> Shares:
    """V3: users with several operations each, 28 days. Operations as units are wrong, for scale."""
    chance = np.random.default_rng(seed)
    decided: Counter[str] = Counter()
    for _ in range(runs):
        arms = [users(chance, units, heavy=heavy) for _ in range(2)]
        daily = [
            estimators.difference(*(estimators.rate(arm.sums(day)) for arm in arms))
            for day in range(DAYS)
        ]
        # Of few users an arm may have none, or one, on the first days.
        diffs = [diff for diff in daily if isinstance(diff, Difference)]
        decided["fixed, once"] += fixed.compare(diffs[-1]).excludes_zero
        decided["always valid, daily"] += any(_always_valid(diff, 2 * units) for diff in diffs)
        wrong = [estimators.binary(_operations(arm.sums(DAYS - 1))) for arm in arms]
        decided["operations as units"] += fixed.compare(_difference(*wrong)).excludes_zero
    return _shares(decided, runs)


def split_mismatch(runs: int, seed: int, *, loss: float = 0.0, per_day: int = 2_000) -> Shares:
    """V6: 28 daily looks at two equal arms, of which b loses a share of its units."""
    chance = np.random.default_rng(seed)
    broken: Counter[str] = Counter()
    for _ in range(runs):
        control = chance.binomial(per_day, 0.5, DAYS)
        treated = chance.binomial(per_day - control, 1 - loss)
        state, one_look = srm.START, []
        for units in zip(control.cumsum().tolist(), treated.cumsum().tolist(), strict=True):
            state = srm.look(state, units, (0.5, 0.5))
            one_look.append(srm.one_look(units, (0.5, 0.5)))
        broken["sequential"] += state.p < srm.BROKEN_SEQUENTIAL
        broken["verdict"] += srm.verdict(state.p, min(one_look)) is srm.Split.BROKEN
        broken["chi-square < 0.05, daily"] += min(one_look) < 0.05
    return _shares(broken, runs)


def cuped_peeking(runs: int, seed: int, *, correlation: float = 0.7, units: int = 2_000) -> Shares:
    """V10: daily looks at an adjusted mean; the adjusted error over the raw one, on average."""
    chance = np.random.default_rng(seed)
    at = np.linspace(units / DAYS, units, DAYS).astype(np.int64)
    at = at[at >= cuped.FEWEST_UNITS]
    decided: Counter[str] = Counter()
    ratios = []
    for _ in range(runs):
        arms = [with_past(chance, at, correlation) for _ in range(2)]
        diffs = [_adjusted(*both) for both in zip(*arms, strict=True)]
        decided["always valid"] += any(_always_valid(diff, 2 * units) for diff in diffs)
        raw = _difference(*(estimators.mean(arm[-1]) for arm in arms))
        ratios.append(diffs[-1].se / raw.se)
    return _shares(decided, runs) | {"error left": float(np.mean(ratios))}


def at_the_margin(runs: int, seed: int, *, units: int = 10_000, looks: int = 100) -> Shares:
    """A treatment exactly 2 % below its control, looked at often: how often does it pass?"""
    chance = np.random.default_rng(seed)
    at = np.linspace(units / looks, units, looks).astype(np.int64)
    passed: Counter[str] = Counter()
    for _ in range(runs):
        passed["not inferior"] += any(
            _not_inferior(diff, 2 * units) for diff in _looks("normal", chance, at, -2.0)
        )
    return _shares(passed, runs)


def percentile(runs: int, seed: int, *, units: int = 500, more: float = 9.0) -> Shares:
    """V4: p95 of two equal arms, one look; users differ in how long theirs take.

    Each has one operation and `more` on average.
    """
    chance = np.random.default_rng(seed)
    decided: Counter[str] = Counter()
    for _ in range(runs):
        found = quantiles.difference(sketches(chance, units, more), sketches(chance, units, more))
        if isinstance(found, Undefined):
            decided["undefined"] += 1
        else:
            decided["p95"] += fixed.compare(found).excludes_zero
    return _shares(decided, runs)


def _looks(
    name: str, chance: Generator, at: NDArray[np.int64], effect: float
) -> Iterator[Difference]:
    draw = ONE_VALUE[name]
    estimate = estimators.binary if name.startswith("bernoulli") else estimators.mean
    a, b = (draw(chance, (int(at[-1]),)) for _ in range(2))
    for of_a, of_b in zip(sums_at(a, at), sums_at(b + effect, at), strict=True):
        yield _difference(estimate(of_a), estimate(of_b))


def _difference(a: Estimated, b: Estimated) -> Difference:
    found = estimators.difference(a, b)
    assert isinstance(found, Difference)
    return found


def _always_valid(diff: Difference, planned: float) -> bool:
    return sequential.compare(diff, planned).excludes_zero


def _not_inferior(diff: Difference, planned: float) -> bool:
    found = margins.non_inferior(
        diff, one_sided.critical(diff.units, planned), higher_is_better=True
    )
    return isinstance(found, margins.Margin) and found.passed


def _hybrid(diffs: list[Difference], planned: float) -> bool:
    before = None
    for diff in diffs:
        before = sequential.hybrid(diff, planned, before=before)
        if before.comparison.excludes_zero:
            return True
    return False


def _operations(sums: Moments) -> Moments:
    """As if each operation were a unit."""
    d = int(sums.d)
    return Moments(d, sums.m, sums.m, d, d, sums.m)


def _adjusted(a: Moments, b: Moments) -> Difference:
    found = cuped.mean(a, b)
    assert isinstance(found, cuped.Adjusted)
    return _difference(found.a, found.b)


def _shares(decided: Counter[str], runs: int) -> Shares:
    return {name: count / runs for name, count in decided.items()}
