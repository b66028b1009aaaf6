"""Sample ratio mismatch: did the arms get the shares of units that they were promised?

Sources: the sequential test, Lindon and Malek 2022 (Dirichlet prior on the multinomial); beside it
Pearson's chi-square, and exact below 1,000 units.
"""

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from scipy.special import chdtrc, gammaln, xlog1py, xlogy

CONCENTRATION = 10_000
"""A of the prior: 10,000 trusts the weights to about half a point before it has seen anything."""
EXACT_BELOW = 1_000
BROKEN_SEQUENTIAL = 0.01
BROKEN_FIXED = 0.0005
WARN_FIXED = 0.01
ROUNDING = 1e-7  # counts that are equally likely differ by what floats round


class Phases(NamedTuple):
    """All that a test keeps between looks, as logarithms of Bayes factors.

    `settled` is the product over phases that are over, `peak` the largest product at any look.
    """

    settled: float = 0.0
    peak: float = 0.0

    @property
    def p(self) -> float:
        """Valid at every look. Source: Ville's inequality on the product of the phases."""
        return math.exp(min(0.0, -self.peak))


START = Phases()


def ln_bayes_factor(units: Sequence[int], weights: Sequence[float]) -> float:
    """ln of the evidence against the weights, from the cumulative distinct units of one phase.

    ln G(A) - ln G(A+n) + sum (ln G(a_i + x_i) - ln G(a_i)) - sum x_i ln w_i, a_i = A w_i. Units in
    an arm of weight 0 are infinite evidence.
    """
    _check(weights)
    n = sum(units)
    total = math.lgamma(CONCENTRATION) - math.lgamma(CONCENTRATION + n)
    for x, weight in zip(units, weights, strict=True):
        if weight == 0:
            if x:
                return math.inf
            continue
        prior = CONCENTRATION * weight
        total += math.lgamma(prior + x) - math.lgamma(prior) - x * math.log(weight)
    return total


def look(before: Phases, units: Sequence[int], weights: Sequence[float]) -> Phases:
    """One more look at the phase that runs: `units` are cumulative within it."""
    now = before.settled + ln_bayes_factor(units, weights)
    return before._replace(peak=max(before.peak, now))


def next_phase(before: Phases, units: Sequence[int], weights: Sequence[float]) -> Phases:
    """Close a phase at its last counts: the next one starts at 0 units, with weights of its own."""
    after = look(before, units, weights)
    return after._replace(settled=before.settled + ln_bayes_factor(units, weights))


def pearson(units: Sequence[int], weights: Sequence[float]) -> float:
    """p of one look at one phase: chi-square. 1 where there is nothing to compare."""
    kept = _kept(units, weights)
    if kept is None:
        return 0.0
    counts, shares = kept
    n = sum(counts)
    if n == 0 or len(counts) < 2:
        return 1.0
    pairs = zip(counts, shares, strict=True)
    statistic = sum((x - n * share) ** 2 / (n * share) for x, share in pairs)
    return float(chdtrc(len(counts) - 1, statistic))


def exact(units: Sequence[int], weights: Sequence[float]) -> float:
    """Exact p of one look: binomial; of several arms the smallest of each against the rest, times
    their number, which is exact in its level and needs no enumeration of outcomes.
    """
    kept = _kept(units, weights)
    if kept is None:
        return 0.0
    counts, shares = kept
    n = sum(counts)
    if n == 0 or len(counts) < 2:
        return 1.0
    tested = range(1 if len(counts) == 2 else len(counts))
    return min(1.0, len(tested) * min(_binomial(counts[i], n, shares[i]) for i in tested))


def one_look(units: Sequence[int], weights: Sequence[float]) -> float:
    """p beside the sequential one: exact below 1,000 units, chi-square from there on."""
    return (exact if sum(units) < EXACT_BELOW else pearson)(units, weights)


class Split(StrEnum):
    """How the arms stand to their weights."""

    AS_PROMISED = "as promised"
    SUSPECT = "suspect"
    BROKEN = "broken"


def verdict(sequential_p: float, one_look_p: float) -> Split:
    """Broken at either limit; the one-look test alone, read daily, may only warn at 0.01."""
    if sequential_p < BROKEN_SEQUENTIAL or one_look_p < BROKEN_FIXED:
        return Split.BROKEN
    return Split.SUSPECT if one_look_p < WARN_FIXED else Split.AS_PROMISED


def _binomial(x: int, n: int, share: float) -> float:
    """Two-sided exact: all counts that are no likelier than this one.

    By hand: scipy.stats, where binomtest is, takes 50 MB of each process.
    """
    counts, p = np.arange(n + 1), min(1.0, share)
    ways = gammaln(n + 1) - gammaln(counts + 1) - gammaln(n - counts + 1)
    likely = np.exp(ways + xlogy(counts, p) + xlog1py(n - counts, -p))
    as_rare = likely <= likely[x] * (1 + ROUNDING)
    return 1.0 if as_rare.all() else min(1.0, float(likely[as_rare].sum()))


def _check(weights: Sequence[float]) -> None:
    if any(weight < 0 for weight in weights) or abs(math.fsum(weights) - 1) > 1e-9:
        raise ValueError(f"weights must be shares that sum to 1, not {list(weights)}")


def _kept(units: Sequence[int], weights: Sequence[float]) -> tuple[list[int], list[float]] | None:
    """Arms that have a weight; `None` when one without has units, which cannot happen by chance."""
    _check(weights)
    pairs = list(zip(units, weights, strict=True))
    if any(x and not weight for x, weight in pairs):
        return None
    kept = [pair for pair in pairs if pair[1]]
    return [x for x, _ in kept], [weight for _, weight in kept]
