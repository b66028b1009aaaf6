"""Which variant a unit gets: a hash, the same in every process and for ever, asking nobody."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

BUCKETS = 10_000
SEPARATOR = "\x1f"
WEIGHTS_SUM_TO = 1.0
TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Variant:
    """One arm of an experiment."""

    key: str
    weight: float
    is_control: bool = False


@dataclass(frozen=True, slots=True)
class Experiment:
    """What is needed to assign units offline; the same as at the gateway."""

    key: str
    salt: str
    variants: Sequence[Variant]
    traffic: float = 1.0
    enrolment_salt: str = "enrolment"

    def __post_init__(self) -> None:
        total = sum(variant.weight for variant in self.variants)
        if abs(total - WEIGHTS_SUM_TO) > TOLERANCE:
            raise ValueError(f"the weights of {self.key} sum to {total}, not to 1")


def bucket(experiment: str, salt: str, unit: str) -> int:
    """0 to 9,999: the first 8 bytes of SHA-256 over the parts, scaled."""
    parts = (experiment, salt, unit)
    if any(SEPARATOR in part for part in parts):
        raise ValueError("experiment, salt and unit must not contain the character U+001F")
    first = sha256(SEPARATOR.join(parts).encode()).digest()[:8]
    return int.from_bytes(first, "big") * BUCKETS >> 64


def assign(experiment: Experiment, unit: str) -> tuple[Variant, bool]:
    """The unit's variant, and whether it takes part; outside or without a unit: the control."""
    control = next((v for v in experiment.variants if v.is_control), experiment.variants[0])
    if not unit:
        return control, False
    enrolled = bucket(experiment.key, experiment.enrolment_salt, unit)
    if enrolled >= experiment.traffic * BUCKETS:
        return control, False
    place = bucket(experiment.key, experiment.salt, unit)
    reach = 0.0
    for variant in experiment.variants[:-1]:
        reach += variant.weight
        if place < int(BUCKETS * reach + 0.5):
            return variant, True
    return experiment.variants[-1], True
