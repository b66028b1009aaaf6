"""Which variant a unit gets: a hash, the same in every process and for ever, asking nobody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from hashlib import sha256
from itertools import accumulate
from math import floor
from typing import Any

BUCKETS = 10_000
HALF = Fraction(1, 2)
SEPARATOR = "\x1f"
WEIGHTS_SUM_TO = 1.0
TOLERANCE = 1e-9
ENROLMENT_SALT = "enrolment"
LAYER_SALT = "layer"
MOST_UNIT = 128
MOST_EDGES = 4_096
"""Remembered, since exact sums take longer than the hash."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One arm of an experiment."""

    key: str
    weight: float
    is_control: bool = False
    model_id: str = ""


@dataclass(frozen=True, slots=True)
class Epoch:
    """What held from one change of weights or traffic to the next.

    `weights` are in the order of the experiment's variants. Units whose enrolment bucket lies in
    one of `places` (from, to) take part.
    """

    salt: str
    weights: Sequence[float]
    places: Sequence[tuple[int, int]]

    def reaches(self, enrolled_at: int) -> bool:
        """Whether units of this enrolment bucket take part."""
        return any(start <= enrolled_at < end for start, end in self.places)

    def draw(self, key: str, unit: str) -> int:
        """The variant, by its place, that this epoch's weights give to a unit."""
        at = bucket(key, self.salt, unit)
        return next(place for place, end in enumerate(edges(self.weights)) if at < end)


@dataclass(frozen=True, slots=True)
class Experiment:
    """What is needed to assign units offline; the same as at the gateway.

    Either a salt with the variants' weights, or `epochs`, oldest first, as the gateway keeps them.
    """

    key: str
    salt: str
    variants: Sequence[Variant]
    traffic: float = 1.0
    enrolment_salt: str = ENROLMENT_SALT
    exclusion_group: str | None = None
    epochs: Sequence[Epoch] = ()
    running: bool = True
    winner: str | None = None
    test_id: str | None = None

    def __post_init__(self) -> None:
        total = sum(variant.weight for variant in self.variants)
        if abs(total - WEIGHTS_SUM_TO) > TOLERANCE:
            raise ValueError(f"the weights of {self.key} sum to {total}, not to 1")

    @classmethod
    def from_answer(cls, answer: Mapping[str, Any]) -> "Experiment":
        """From an item of what GET /ai/assignable-tests answers."""
        return cls(
            answer["key"],
            "",
            [
                Variant(one["key"], one["weight"], one["is_control"], one["model_id"])
                for one in answer["variants"]
            ],
            answer["traffic"],
            exclusion_group=answer.get("exclusion_group"),
            epochs=[
                Epoch(
                    one["salt"],
                    [share["weight"] for share in one["weights"]],
                    [(start, end) for start, end in one["places"]],
                )
                for one in answer["epochs"]
            ],
            running=answer["state"] == "running",
            winner=answer.get("winner") if answer["state"] == "concluded" else None,
            test_id=answer["id"],
        )

    @property
    def history(self) -> Sequence[Epoch]:
        """Its epochs, the only one where none are given."""
        if self.epochs:
            return self.epochs
        weights = [variant.weight for variant in self.variants]
        return (Epoch(self.salt, weights, ((0, _in_buckets(_exact(self.traffic))),)),)

    def enrolled_at(self, unit: str) -> int:
        """The bucket by which a unit takes part: its exclusion group's, if there is one."""
        if self.exclusion_group is None:
            return bucket(self.key, self.enrolment_salt, unit)
        return bucket(self.exclusion_group, LAYER_SALT, unit)


def bucket(experiment: str, salt: str, unit: str) -> int:
    """0 to 9,999: the first 8 bytes of SHA-256 over the parts, scaled."""
    parts = (experiment, salt, unit)
    if any(SEPARATOR in part for part in parts):
        raise ValueError("experiment, salt and unit must not contain the character U+001F")
    first = sha256(SEPARATOR.join(parts).encode()).digest()[:8]
    return int.from_bytes(first, "big") * BUCKETS >> 64


def is_unit(unit: object) -> bool:
    """Whether something can name a unit; what cannot, the gateway refuses too."""
    if not isinstance(unit, str) or len(unit) > MOST_UNIT or SEPARATOR in unit or "\0" in unit:
        return False
    try:
        unit.encode()
    except UnicodeEncodeError:
        return False  # a lone surrogate
    return True


def assign(experiment: Experiment, unit: str) -> tuple[Variant, bool]:
    """The unit's variant, and whether it takes part; outside or without a unit: the control.

    While it does not run, everybody gets the winner if there is one: of a concluded test only.
    """
    variants = experiment.variants
    control = next((v for v in variants if v.is_control), variants[0])
    if not experiment.running:
        return next((v for v in variants if v.key == experiment.winner), control), False
    found = placed(experiment, unit)
    return (control, False) if found is None else (variants[found[0]], True)


def placed(experiment: Experiment, unit: str) -> tuple[int, int] | None:
    """The place of a unit's variant and the number of the epoch that gave it; `None`: outside.

    A unit belongs to the first epoch that reached it, and moves only when a later one takes its
    variant out.
    """
    epochs = experiment.history
    enrolled_at = experiment.enrolled_at(unit) if unit else -1
    if not epochs[-1].reaches(enrolled_at):
        return None
    held: tuple[int, int] | None = None
    for number, epoch in enumerate(epochs, 1):
        if (held is None or not epoch.weights[held[0]]) and epoch.reaches(enrolled_at):
            held = epoch.draw(experiment.key, unit), number
    return held


def edges(weights: Sequence[float]) -> list[int]:
    """Where each variant's buckets end."""
    return list(_edges(tuple(weights)))


@lru_cache(MOST_EDGES)
def _edges(weights: tuple[float, ...]) -> tuple[int, ...]:
    reaches = accumulate(_exact(weight) for weight in weights[:-1])
    return (*(_in_buckets(reach) for reach in reaches), BUCKETS)


def _exact(share: float) -> Fraction:
    """As it is written: sums of doubles fall on the wrong side of half a bucket."""
    return Fraction(str(share))


def _in_buckets(share: Fraction) -> int:
    return floor(BUCKETS * share + HALF)
