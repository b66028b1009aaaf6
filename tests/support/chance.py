"""What units do in a simulated test: values of one unit each, and operations of users over days."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from shared.experiments.moments import Moments
from shared.experiments.quantiles import GROUPS
from shared.measures.sketch import LN_GAMMA

Values = NDArray[np.float64]
Draw = Callable[[Generator, tuple[int, ...]], Values]

DAYS = 28


def bernoulli(p: float) -> Draw:
    return lambda chance, shape: (chance.random(shape) < p).astype(float)


def normal(chance: Generator, shape: tuple[int, ...]) -> Values:
    return chance.normal(100, 20, shape)


def lognormal(sigma: float) -> Draw:
    return lambda chance, shape: chance.lognormal(0, sigma, shape)


def ratings(chance: Generator, shape: tuple[int, ...]) -> Values:
    steps = np.cumsum([0.05, 0.05, 0.1, 0.3])
    return np.searchsorted(steps, chance.random(shape)) + 1.0


ONE_VALUE: dict[str, Draw] = {
    "bernoulli 0.9": bernoulli(0.9),
    "bernoulli 0.02": bernoulli(0.02),
    "normal": normal,
    "lognormal 1": lognormal(1),
    "lognormal 1.5": lognormal(1.5),
    "ratings": ratings,
}


def sums_at(values: Values, looks: NDArray[np.int64]) -> list[Moments]:
    """Sums over the first so many units, at each look."""
    m, mm = (np.cumsum(of)[looks - 1].tolist() for of in (values, values**2))
    return [
        Moments(n, m=m[look], mm=mm[look], d=n, dd=n, md=m[look])
        for look, n in enumerate(looks.tolist())
    ]


class Daily(NamedTuple):
    """Of one arm: successes and operations of each user up to the end of each day."""

    m: NDArray[np.int64]
    d: NDArray[np.int64]

    def sums(self, day: int) -> Moments:
        """Sums over the users that were seen by then."""
        m, d = self.m[:, day], self.d[:, day]
        pairs = ((m, m), (d, d), (m, d))
        mm, dd, md = (int(one @ other) for one, other in pairs)
        return Moments(int(np.count_nonzero(d)), int(m.sum()), mm, int(d.sum()), dd, md)


def users(chance: Generator, count: int, *, heavy: bool) -> Daily:
    """Users with success rates of their own (logit-normal) and 1 + Poisson(9) operations.

    Of heavy users one in twenty does twenty times as much.
    """
    operations = 1 + chance.poisson(9, count)
    if heavy:
        operations = operations * np.where(chance.random(count) < 0.05, 20, 1)
    rates = 1 / (1 + np.exp(-chance.normal(1.5, 1.0, count)))
    who = np.repeat(np.arange(count), operations)
    place = who * DAYS + chance.integers(0, DAYS, len(who))
    success = chance.random(len(who)) < rates[who]
    by_day = [
        np.bincount(places, minlength=count * DAYS).reshape(count, DAYS).cumsum(axis=1)
        for places in (place[success], place)
    ]
    return Daily(*by_day)


def with_past(chance: Generator, at: NDArray[np.int64], correlation: float) -> list[Moments]:
    """One number a unit and its past, so correlated; sums at each look."""
    past = chance.normal(50, 10, int(at[-1]))
    own = chance.normal(0, 10 * math.sqrt(1 - correlation**2), int(at[-1]))
    now = 50 + correlation * (past - 50) + own
    columns = (now, now**2, past, past**2, now * past)
    m, mm, x, xx, mx = (np.cumsum(column)[at - 1].tolist() for column in columns)
    return [
        Moments(n, m=m[i], mm=mm[i], d=n, dd=n, md=m[i], x=x[i], xx=xx[i], mx=mx[i], h=n)
        for i, n in enumerate(at.tolist())
    ]


def sketches(chance: Generator, units: int, more: float) -> list[dict[int, int]]:
    """Sketches of twenty groups of users with 1 + Poisson(more) lognormal times each."""
    who = np.repeat(np.arange(units), 1 + chance.poisson(more, units))
    times = chance.normal(0, 0.6, units)[who] + chance.normal(6, 0.8, len(who))
    keys = np.ceil(times / LN_GAMMA).astype(np.int64)
    groups = chance.integers(0, GROUPS, units)[who]
    found = []
    for group in range(GROUPS):
        kinds, counts = np.unique(keys[groups == group], return_counts=True)
        found.append(dict(zip(kinds.tolist(), counts.tolist(), strict=True)))
    return found
