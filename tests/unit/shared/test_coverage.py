"""How often the interval of a window holds the truth: 2,000 windows a case, 95 % meant.

The floors are those of the design: 92.5 % for rates (Wilson with Clopper-Pearson), 93 % for means,
92.5 % for percentiles. The standard error of 2,000 windows is 0.49 points.
"""

import math
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from shared.measures import intervals, ranks
from shared.measures.intervals import Estimate
from shared.measures.sketch import key_of

WINDOWS = 2_000
SIZES = (25, 100, 1_000)
MEDIAN_MS, SPREAD = 900.0, 0.8
STARS = {
    "mixed": (0.05, 0.05, 0.1, 0.3, 0.5),
    "nearly all 5": (0.02, 0.0, 0.03, 0.05, 0.9),
    "1 or 5": (0.3, 0.0, 0.0, 0.0, 0.7),
}

Draw = Callable[[np.random.Generator, int], Estimate | None]


def success(p: float) -> Draw:
    return lambda chance, n: intervals.share(int(chance.binomial(n, p)), n)


def times(chance: np.random.Generator, n: int) -> np.ndarray:
    return np.exp(chance.normal(math.log(MEDIAN_MS), SPREAD, n))


def geometric_mean(chance: np.random.Generator, n: int) -> Estimate | None:
    logs = np.log(times(chance, n))
    return intervals.geometric_mean(n, float(logs.sum()), float((logs**2).sum()))


def p95(chance: np.random.Generator, n: int) -> Estimate | None:
    return ranks.quantile(Counter(key_of(float(ms)) for ms in times(chance, n)), 0.95)


def rating(shares: tuple[float, ...]) -> Draw:
    def draw(chance: np.random.Generator, n: int) -> Estimate | None:
        stars = chance.choice(np.arange(1, 6), n, p=shares)
        return intervals.stars(n, int(stars.sum()), int((stars**2).sum()))

    return draw


CASES: dict[str, tuple[Draw, float, float]] = {
    **{f"success rate {p:.1%}": (success(p), p, 0.925) for p in (0.5, 0.9, 0.98, 0.999)},
    "geometric mean, lognormal": (geometric_mean, MEDIAN_MS, 0.93),
    "p95, lognormal": (p95, MEDIAN_MS * math.exp(1.6448536 * SPREAD), 0.925),
    **{
        f"rating, {name}": (rating(shares), float(np.arange(1, 6) @ shares), 0.93)
        for name, shares in STARS.items()
    },
}


@pytest.mark.parametrize("name", CASES)
def test_an_interval_holds_the_truth_as_often_as_it_says(name: str) -> None:
    draw, truth, floor = CASES[name]
    chance = np.random.default_rng(20_261_124)
    for n in SIZES:
        held = 0
        for _ in range(WINDOWS):
            found = draw(chance, n)
            assert found is not None
            low = -math.inf if found.low is None else found.low
            held += low <= truth <= (math.inf if found.high is None else found.high)
        print(f"| {name} | {n:,} | {held / WINDOWS:.1%} | {floor:.1%} |")
        assert held / WINDOWS >= floor
