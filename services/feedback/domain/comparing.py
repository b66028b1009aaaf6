"""Two versions of the formula on the same rows at one instant: what a rebuild would change."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from heapq import nlargest
from math import fsum

from services.feedback.domain.formulas import Formula
from services.feedback.domain.weighting import Evidence, weigh

LARGEST = 10
CHANGED = 1e-12  # less is rounding


@dataclass(frozen=True, slots=True)
class Shift:
    """What one row would go through."""

    row: str
    old: float
    new: float

    @property
    def size(self) -> float:
        """How far the weight moves, either way."""
        return abs(self.new - self.old)


@dataclass(frozen=True, slots=True)
class Comparison:
    """All rows together. Means are over all rows, also those that stay; `None` without rows."""

    old: str
    new: str
    at: datetime
    rows: int
    raised: int
    lowered: int
    mean_old: float | None
    mean_new: float | None
    mean_size: float | None
    largest: tuple[Shift, ...]


def compare(
    rows: Iterable[tuple[str, Evidence]], at: datetime, old: Formula, new: Formula
) -> Comparison:
    """Weigh each row twice. Raises ValueError as `weigh` does."""
    shifts = [
        Shift(row, weigh(known, at, old).weight, weigh(known, at, new).weight)
        for row, known in rows
    ]
    count = len(shifts)
    return Comparison(
        old.version,
        new.version,
        at,
        count,
        sum(one.new - one.old > CHANGED for one in shifts),
        sum(one.old - one.new > CHANGED for one in shifts),
        fsum(one.old for one in shifts) / count if count else None,
        fsum(one.new for one in shifts) / count if count else None,
        fsum(one.size for one in shifts) / count if count else None,
        tuple(nlargest(LARGEST, shifts, key=lambda one: (one.size, one.row))),
    )
