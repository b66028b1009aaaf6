"""Which variant a unit gets: a hash, the same in every process and for ever, asking nobody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate
from typing import Any, NamedTuple

BUCKETS = 10_000
SEPARATOR = "\x1f"
WEIGHTS_SUM_TO = 1.0
TOLERANCE = 1e-9
ENROLMENT_SALT = "enrolment"
LAYER_SALT = "layer"


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
        ends = [*(_rounded(reach) for reach in accumulate(self.weights[:-1])), BUCKETS]
        return next(place for place, end in enumerate(ends) if at < end)


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
    test_id: str = ""
    """The gateway's; needed to tell of exposures."""

    def __post_init__(self) -> None:
        total = sum(variant.weight for variant in self.variants)
        if abs(total - WEIGHTS_SUM_TO) > TOLERANCE:
            raise ValueError(f"the weights of {self.key} sum to {total}, not to 1")

    @classmethod
    def from_answer(cls, answer: Mapping[str, Any]) -> "Experiment":
        """From what GET /ai/ab-tests/{test_id} answers, with its whole history."""
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
            test_id=str(answer.get("id", "")),
        )

    @property
    def history(self) -> Sequence[Epoch]:
        """Its epochs, the only one where none are given."""
        if self.epochs:
            return self.epochs
        weights = [variant.weight for variant in self.variants]
        return (Epoch(self.salt, weights, ((0, _rounded(self.traffic)),)),)

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


class Placed(NamedTuple):
    """Where a unit stands; `epoch` is the number of the epoch that placed it."""

    variant: Variant
    takes_part: bool
    epoch: int | None


def assign(experiment: Experiment, unit: str) -> tuple[Variant, bool]:
    """The unit's variant, and whether it takes part; outside or without a unit: the control.

    A unit belongs to the first epoch that reached it, and moves only when a later one takes its
    variant out. After the end, everybody gets the winner if there is one.
    """
    placed = place(experiment, unit)
    return placed.variant, placed.takes_part


def place(experiment: Experiment, unit: str) -> Placed:
    """The same, with the number of the epoch."""
    variants = experiment.variants
    control = next((v for v in variants if v.is_control), variants[0])
    outside = Placed(control, False, None)
    if not experiment.running:
        winner = next((v for v in variants if v.key == experiment.winner), control)
        return outside._replace(variant=winner)
    epochs = experiment.history
    enrolled_at = experiment.enrolled_at(unit) if unit else -1
    if not epochs[-1].reaches(enrolled_at):
        return outside
    held, number = None, 0
    for at, epoch in enumerate(epochs, 1):
        if (held is None or not epoch.weights[held]) and epoch.reaches(enrolled_at):
            held, number = epoch.draw(experiment.key, unit), at
    return outside if held is None else Placed(variants[held], True, number)


def _rounded(share: float) -> int:
    return int(BUCKETS * share + 0.5)
