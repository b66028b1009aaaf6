"""A unit: everything that its rows say, in whatever order they came.

Its arm is that of the earliest epoch in which it was seen; rows of other epochs do not count. If it
was exposed there, operations before the first exposure do not count, nor feedback on them; but for
those of the minute before, since two hosts' clocks tell of exposure and operation. Seen in two
variants, it is in two arms and in no sums: unless the first was taken out of the test between them,
which moves a unit rightly.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from services.abtest.domain.live import LiveTest
from services.abtest.domain.rows import (
    EXPOSURE,
    NO_LIMITS,
    NOTHING,
    Candidate,
    Limits,
    add_to,
    capped,
)

CLOCKS_DIFFER = timedelta(minutes=1)

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

    def counted(self, rows: Iterable[Candidate]) -> list[Candidate]:
        """Those of its rows that add to its totals."""
        home = self.home
        since = None if self.exposed_at is None else self.exposed_at - CLOCKS_DIFFER
        return [
            row
            for row in rows
            if row.kind != EXPOSURE
            and (row.epoch, row.variant) == home
            and (since is None or row.counts_at >= since)
        ]


BLANK = UnitState()


def placed(before: UnitState, fresh: Sequence[Candidate], test: LiveTest) -> UnitState:
    """Where fresh rows put a unit: all but its totals."""
    began = [one.counts_at for one in fresh]
    if before.first_at is not None:
        began.append(before.first_at)
    first_at, events = min(began), before.events + len(fresh)
    exposures = [one for one in fresh if one.kind == EXPOSURE]
    places = {(one.epoch, one.variant) for one in fresh}
    if not exposures and len(places) == 1 and before.seen in ((), tuple(places)):
        # As nearly all: nothing of it changes but what it did.
        _, is_crossed, is_multiple, exposed_at, _, _, totals, past = before
        return UnitState(
            tuple(places), is_crossed, is_multiple, exposed_at, first_at, events, totals, past
        )
    seen = tuple(sorted({*before.seen, *places}))
    is_crossed = before.is_crossed or any(one.is_crossed for one in exposures)
    shown = [one.counts_at for one in exposures if (one.epoch, one.variant) == seen[0]]
    if before.exposed_at is not None and before.home == seen[0]:
        shown.append(before.exposed_at)
    is_multiple = is_crossed or _conflicts(seen, test)
    exposed_at = min(shown, default=None)
    return UnitState(
        seen, is_crossed, is_multiple, exposed_at, first_at, events, before.totals, before.past
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
    """A unit with rows that count added to `before`."""
    totals, is_cut = list(before), limits != NO_LIMITS
    for row in rows:
        add_to(totals, capped(row, limits) if is_cut else row)
    return state._replace(totals=tuple(totals))


def _conflicts(seen: Sequence[Seen], test: LiveTest) -> bool:
    return any(
        first[1] != then[1] and not test.is_taken_out(first[1], first[0], then[0])
        for place, first in enumerate(seen)
        for then in seen[place + 1 :]
    )
