"""Units whose old rows count differently now, read again a portion at a time.

A service account may have millions of rows: what they amount to fits in a hand, they do not.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from services.abtest.domain.rows import NOTHING, OPERATION, Candidate, Identity, Limits
from services.abtest.domain.units import UnitState, with_totals

Bins = Counter[int]


@dataclass(slots=True)
class Remade:
    """What all rows of a unit amount to now, and which response times go and come."""

    totals: tuple[int, ...] = NOTHING
    gone: Bins = field(default_factory=Counter)
    added: Bins = field(default_factory=Counter)


class Remaking:
    """One unit: as it was, and where it is now."""

    def __init__(
        self, before: UnitState, place: UnitState, fresh: Collection[Identity], limits: Limits
    ) -> None:
        self._before = before
        self._place = place
        self._fresh = fresh
        self._limits = limits
        self.made = Remade()

    def add(self, rows: Iterable[Candidate]) -> None:
        """Add a portion of its rows, fresh ones too."""
        portion = list(rows)
        counted = self._place.counted(portion)
        was = self._before.counted(row for row in portion if row.identity not in self._fresh)
        self.made.totals = with_totals(self._place, counted, self.made.totals, self._limits).totals
        self.made.gone.update(bins_of(was))
        self.made.added.update(bins_of(counted))


def bins_of(counted: Iterable[Candidate]) -> list[int]:
    """Bins of the response times of operations."""
    return [row.bin for row in counted if row.kind == OPERATION and row.bin is not None]
