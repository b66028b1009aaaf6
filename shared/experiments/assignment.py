"""Which variant a unit gets: a hash, the same in every process and for ever, asking nobody.

The same as `assay_sdk.assignment`, which cannot import it; a test holds one against the other.

A test's epochs are what held from one change of weights or traffic to the next. A unit belongs to
the first epoch whose traffic reached it: that epoch's weights place it once, and no later ones move
it. Only a later epoch that reaches it and gives its variant nothing places it anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from hashlib import sha256
from itertools import accumulate
from math import floor
from typing import NamedTuple

BUCKETS = 10_000
HALF = Fraction(1, 2)
SEPARATOR = "\x1f"
ENROLMENT_SALT = "enrolment"
LAYER_SALT = "layer"
MOST_EDGES = 4_096
"""Remembered, since exact sums take longer than the hash."""

Place = tuple[int, int]
"""From one bucket to before another."""


@dataclass(frozen=True, slots=True)
class Weight:
    """A variant's share of those who take part."""

    variant: str
    weight: float


@dataclass(frozen=True, slots=True)
class Epoch:
    """What held from `since` on; `places` are the enrolment buckets whose units take part."""

    number: int
    salt: str
    weights: tuple[Weight, ...]
    traffic: float
    places: tuple[Place, ...]
    since: datetime

    def reaches(self, enrolled_at: int) -> bool:
        """Whether units of this enrolment bucket take part."""
        return any(start <= enrolled_at < end for start, end in self.places)

    def draw(self, key: str, unit: str) -> str:
        """The variant that this epoch's weights give to a unit."""
        at = bucket(key, self.salt, unit)
        ends = _edges(tuple([one.weight for one in self.weights]))
        return next(one.variant for one, end in zip(self.weights, ends, strict=True) if at < end)

    def gives_nothing_to(self, variant: str) -> bool:
        """Whether a variant was taken out."""
        return any(one.variant == variant and not one.weight for one in self.weights)


class Assigned(NamedTuple):
    """A unit's variant, and the number of the epoch that placed it."""

    variant: str
    epoch: int


def assign(key: str, group: str | None, epochs: Sequence[Epoch], unit: str) -> Assigned | None:
    """Where a unit belongs in a running test; `None`: outside."""
    if not unit or not epochs:
        return None
    enrolled_at = enrolment(key, group, unit)
    if not epochs[-1].reaches(enrolled_at):
        return None
    held: Assigned | None = None
    for epoch in epochs:
        is_due = held is None or epoch.gives_nothing_to(held.variant)
        if is_due and epoch.reaches(enrolled_at):
            held = Assigned(epoch.draw(key, unit), epoch.number)
    return held


def enrolment(key: str, group: str | None, unit: str) -> int:
    """The bucket by which a unit takes part or not: its group's, so that one test can have it."""
    return bucket(key, ENROLMENT_SALT, unit) if group is None else bucket(group, LAYER_SALT, unit)


def bucket(experiment: str, salt: str, unit: str) -> int:
    """0 to 9,999: the first 8 bytes of SHA-256 over the parts, scaled."""
    parts = (experiment, salt, unit)
    text = SEPARATOR.join(parts)
    if text.count(SEPARATOR) >= len(parts):
        raise ValueError("experiment, salt and unit must not contain the character U+001F")
    first = sha256(text.encode()).digest()[:8]
    return int.from_bytes(first, "big") * BUCKETS >> 64


def edges(weights: Sequence[float]) -> list[int]:
    """Where each variant's buckets end."""
    return list(_edges(tuple(weights)))


def rounded(share: float) -> int:
    """A share in buckets."""
    return _in_buckets(_exact(share))


@lru_cache(MOST_EDGES)
def _edges(weights: tuple[float, ...]) -> tuple[int, ...]:
    reaches = accumulate(_exact(weight) for weight in weights[:-1])
    return (*(_in_buckets(reach) for reach in reaches), BUCKETS)


def _exact(share: float) -> Fraction:
    """As it is written: sums of doubles fall on the wrong side of half a bucket."""
    return Fraction(str(share))


def _in_buckets(share: Fraction) -> int:
    return floor(BUCKETS * share + HALF)
