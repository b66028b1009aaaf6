"""What units do in a simulated test: values of one unit each, and operations of users over days."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from shared.experiments.moments import Moments

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
