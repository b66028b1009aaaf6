"""A unit: everything that its rows say, in whatever order they came.

Its arm is that of the earliest epoch in which it was seen; rows of other epochs do not count. If it
was exposed there, operations before the first exposure do not count, nor feedback on them. Seen in
two variants, it is in two arms and in no sums: unless the first was taken out of the test between
them, which moves a unit rightly.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from services.abtest.domain.live import LiveTest
from services.abtest.domain.rows import (
    EXPOSURE,
    NO_LIMITS,
    NOTHING,
    Candidate,
    Limits,
    N,
    add_to,
    capped,
)

Seen = tuple[int, str]
"""Epoch and variant."""


class UnitState(NamedTuple):
    """What is kept of a unit: columns of `ab_units`."""

    seen: tuple[Seen, ...] = ()
    is_crossed: bool = False
    is_multiple: bool = False
    exposed_at: datetime | None = None
    first_at: datetime | None = None
    events: int = 0
    totals: tuple[int, ...] = NOTHING
    past: tuple[int, ...] | None = None
    """Totals before the test, by which its share is made; `None`: made without past and limits."""

    @property
    def home(self) -> Seen | None:
        """Its arm; `None` before its first row."""
        return self.seen[0] if self.seen else None

    def counts(self, row: Candidate) -> bool:
        """Whether a row adds to its totals."""
        return (
            row.kind != EXPOSURE
            and (row.epoch, row.variant) == self.home
            and (self.exposed_at is None or row.counts_at >= self.exposed_at)
        )


BLANK = UnitState()


def placed(before: UnitState, fresh: Sequence[Candidate], test: LiveTest) -> UnitState:
    """Where fresh rows put a unit: all but its totals."""
    seen = tuple(sorted({*before.seen, *((one.epoch, one.variant) for one in fresh)}))
    is_crossed = before.is_crossed or any(one.is_crossed and one.kind == EXPOSURE for one in fresh)
    shown = [
        one.counts_at
        for one in fresh
        if one.kind == EXPOSURE and (one.epoch, one.variant) == seen[0]
    ]
    if before.exposed_at is not None and before.home == seen[0]:
        shown.append(before.exposed_at)
    began = [one.counts_at for one in fresh]
    if before.first_at is not None:
        began.append(before.first_at)
    return UnitState(
        seen,
        is_crossed,
        is_crossed or _conflicts(seen, test),
        min(shown, default=None),
        min(began),
        before.events + len(fresh),
        before.totals,
        before.past,
    )


def is_moved(before: UnitState, after: UnitState) -> bool:
    """Whether rows that were there before count differently now, or in another place."""
    if before.events == 0:
        return False
    if before.home != after.home or before.is_multiple != after.is_multiple:
        return True
    if before.past != after.past:
        return True  # with other limits
    if before.exposed_at == after.exposed_at:
        return False
    limits = [at for at in (before.exposed_at, after.exposed_at) if at is not None]
    # A limit at or before the first row of all leaves nothing out.
    return before.first_at is not None and before.first_at < max(limits)


def with_totals(
    state: UnitState,
    rows: Iterable[Candidate],
    before: Sequence[int],
    limits: Limits = NO_LIMITS,
) -> UnitState:
    """A unit whose rows that count are added to `before`."""
    totals, is_cut = list(before), limits != NO_LIMITS
    for row in rows:
        if state.counts(row):
            add_to(totals, capped(row, limits) if is_cut else row)
    return state._replace(totals=tuple(totals))


def whole(
    rows: Sequence[Candidate], test: LiveTest, past: tuple[int, ...] | None = None
) -> UnitState:
    """A unit from all its rows."""
    if not rows:
        return BLANK
    state = placed(BLANK, rows, test)._replace(past=past)
    return with_totals(state, rows, NOTHING, test.past.limits)


def operations_of(state: UnitState) -> int:
    """How many operations of it count."""
    return state.totals[N]


def _conflicts(seen: Sequence[Seen], test: LiveTest) -> bool:
    return any(
        first[1] != then[1] and not test.is_taken_out(first[1], first[0], then[0])
        for place, first in enumerate(seen)
        for then in seen[place + 1 :]
    )
