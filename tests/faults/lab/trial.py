"""An A/B test as the play knows it, and its assignment. Pure, and without Assay's own code."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

SEPARATOR = "\x1f"
BUCKETS = 10_000


class Epoch(NamedTuple):
    """What held from an instant on; weights and traffic in ten-thousandths."""

    number: int
    salt: str
    weights: tuple[tuple[str, int], ...]
    traffic: int
    since: datetime

    def gives_nothing_to(self, variant: str) -> bool:
        """Whether a variant was taken out."""
        return dict(self.weights).get(variant) == 0

    def stored(self) -> Mapping[str, Any]:
        """As `ab_tests` holds it."""
        weights = [{"variant": name, "weight": of / BUCKETS} for name, of in self.weights]
        return {
            "number": self.number,
            "salt": self.salt,
            "weights": weights,
            "traffic": self.traffic / BUCKETS,
            "places": [[0, self.traffic]],
            "since": self.since.isoformat(),
        }


class Span(NamedTuple):
    """From a start to before a pause; `None` while it lasts."""

    since: datetime
    until: datetime | None = None


class Trial(NamedTuple):
    """A test that runs."""

    tenant: str
    test_id: str
    key: str
    unit: str
    """`user_id` or `session_id`."""
    operation_type: str | None
    models: tuple[tuple[str, str], ...]
    epochs: tuple[Epoch, ...]
    spans: tuple[Span, ...]

    def ran_at(self, at: datetime) -> bool:
        """Whether an instant lies in a span."""
        return any(one.since <= at and (one.until is None or at < one.until) for one in self.spans)

    def begun_by(self, at: datetime) -> int:
        """How many epochs had begun."""
        return sum(one.since <= at for one in self.epochs)


@lru_cache(1 << 16)
def place(trial: Trial, unit: str, epochs: int) -> tuple[int, str] | None:
    """Epoch and variant of a unit by the first so many epochs; `None`: outside."""
    known = trial.epochs[:epochs]
    at = bucket(trial.key, "enrolment", unit)
    if not known or at >= known[-1].traffic:
        return None
    held: tuple[int, str] | None = None
    for one in known:
        if at < one.traffic and (held is None or one.gives_nothing_to(held[1])):
            held = one.number, _drawn(one, bucket(trial.key, one.salt, unit))
    return held


def bucket(*parts: str) -> int:
    """As docs/experiments.md has it: 8 bytes of SHA-256, scaled to 10,000."""
    digest = sha256(SEPARATOR.join(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") * BUCKETS // 2**64


def _drawn(epoch: Epoch, at: int) -> str:
    reached = 0
    for variant, weight in epoch.weights:
        reached += weight
        if at < reached:
            return variant
    raise AssertionError("weights come to less than all")
