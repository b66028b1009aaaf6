"""How reliable raters are: how often they agree with reliable others, above what chance gives.

After Krippendorff 2004: chance is the agreement of two votes drawn from all of the tenant's. Who
shares no item with anybody is as a new rater, and so is everybody where all votes are the same.
"""

from collections import defaultdict
from collections.abc import Mapping
from math import fsum
from typing import NamedTuple

from services.feedback.domain.agreement import POINTS, Sums

START = 0.3
PRIOR_ITEMS = 5  # shared items that `START` counts for
ROUNDS = 3
MOVED = 0.05
"""A weight moves by at most 0.0125 when one expert's reliability moves by this."""


class _Partner(NamedTuple):
    rater: str
    shared: int
    above_chance: float


def spread(sums: Sums) -> float:
    """1-c = Σ p·p'·|s-s'|: how far two votes drawn by chance are apart, 0 to 1."""
    total, below, apart, last = sums.said.total(), 0, 0, 0
    lower = 0  # Σ over votes below of how far they are from `last`
    for points in sorted(sums.said):
        lower += below * (points - last)
        apart += sums.said[points] * lower
        below, last = below + sums.said[points], points
    return 2 * apart / (POINTS * total**2) if total else 0.0


def reliabilities(sums: Sums) -> dict[str, float]:
    """0 to 1 for all who share an item with somebody; for others `START` holds.

    rel = (A-c)/(1-c), cut to 0 to 1, with A = (Σ agreement + 5·a0)/(n+5) and a0 = c+0.3(1-c),
    partners weighted by their reliability, everybody at once in each round. One step of algebra
    away from that: (Σ (agreement-c)/(1-c) + 5·0.3)/(n+5).
    """
    partners = _partners(sums, apart := spread(sums))
    reliable = dict.fromkeys(partners, START)
    for _ in range(ROUNDS if apart else 0):
        reliable = {rater: _reliability(known, reliable) for rater, known in partners.items()}
    return reliable


def _partners(sums: Sums, apart: float) -> dict[str, list[_Partner]]:
    found: dict[str, list[_Partner]] = defaultdict(list)
    for (one, other), shared in sums.shared.items():
        excess = sums.agreed[one, other] / POINTS - (1 - apart) * shared
        above = excess / apart if apart else 0.0
        found[one].append(_Partner(other, shared, above))
        found[other].append(_Partner(one, shared, above))
    return found


def _reliability(known: list[_Partner], reliable: Mapping[str, float]) -> float:
    agreed = fsum(reliable[one.rater] * one.above_chance for one in known)
    shared = fsum(reliable[one.rater] * one.shared for one in known)
    return min(1.0, max(0.0, (agreed + PRIOR_ITEMS * START) / (shared + PRIOR_ITEMS)))


def moved(before: Mapping[str, float], after: Mapping[str, float]) -> set[str]:
    """Raters whose rows are to be weighed anew. `before` is what their rows were weighed with."""
    return {
        rater
        for rater in before.keys() | after.keys()
        if abs(after.get(rater, START) - before.get(rater, START)) >= MOVED
    }
