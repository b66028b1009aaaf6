"""Sums of who agreed with whom: exact integers, so that a night adds only what is new.

An item is an operation with the current, explicit stances on it, in points of 100. When votes
change, the item's old share is taken off and its new one added, which is what a count from the
beginning would give, in any order.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import combinations
from typing import NamedTuple, TypeVar

POINTS = 100
MOST_PARTNERS = 20
"""Raters of one item who are compared: 190 pairs. Of more, the lowest hashes of both are taken."""

Pair = tuple[str, str]
Key = TypeVar("Key", int, Pair)


class Stand(NamedTuple):
    """A stance, 0 to 1, as explicitly said; `rater` `None` counts only for what is usual."""

    rater: str | None
    value: float


@dataclass(slots=True)
class Sums:
    """What a tenant's raters said, and how far each two of them agreed."""

    said: Counter[int] = field(default_factory=Counter)  # votes by points
    shared: Counter[Pair] = field(default_factory=Counter)  # items that both judged
    agreed: Counter[Pair] = field(default_factory=Counter)  # points: 100 each if of one mind

    def add(self, other: "Sums", times: int = 1) -> None:
        """Add an item's share; with `times=-1`, take it off. What comes to 0 is forgotten."""
        _add(self.said, other.said, times)
        _add(self.shared, other.shared, times)
        _add(self.agreed, other.agreed, times)


def _add(held: Counter[Key], new: Counter[Key], times: int) -> None:
    for key, value in new.items():
        held[key] += times * value
        if not held[key]:
            del held[key]


def of_item(item: str, stands: Iterable[Stand]) -> Sums:
    """The share of one item. Each rater stands once; its work is bounded."""
    told = [(one.rater, round(POINTS * one.value)) for one in stands]
    sums = Sums(Counter(points for _, points in told))
    named = sorted((_hash(item, rater), rater, points) for rater, points in told if rater)
    known = sorted((rater, points) for _, rater, points in named[:MOST_PARTNERS])
    for (one, said), (other, heard) in combinations(known, 2):
        sums.shared[one, other] += 1
        # 0 is stored by nobody: two who never agree are known by what they shared.
        if agreed := POINTS - abs(said - heard):
            sums.agreed[one, other] += agreed
    return sums


def _hash(item: str, rater: str) -> bytes:
    return sha256(f"{item}\x1f{rater}".encode()).digest()
