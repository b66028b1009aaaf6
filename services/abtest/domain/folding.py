"""A batch's fresh rows as new units and as differences of sums.

A unit's old share goes out of its arm and its new one in: sums never depend on the order of
arrival, nor on how rows were cut into batches.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from services.abtest.domain.live import LiveTest, Tests
from services.abtest.domain.remade import Remade, Remaking, bins_of
from services.abtest.domain.rows import (
    CROSSOVERS,
    NOTHING,
    Candidate,
    N,
    UnitKey,
)
from services.abtest.domain.sums import RATINGS, Sums, rating_of, shift
from services.abtest.domain.units import (
    Seen,
    UnitState,
    is_moved,
    placed,
    with_totals,
)
from shared.experiments.assignment import SEPARATOR
from shared.experiments.quantiles import GROUPS

CELL_BITS = 10
CELL_SALT = "cell"
MOST_CELLS = 20_000
"""Remembered: units come again and again."""


class ArmName(NamedTuple):
    """An arm of a test."""

    tenant_id: str
    test_id: UUID
    epoch: int
    variant: str


@dataclass(slots=True)
class ArmChange:
    """What a batch adds to an arm."""

    units: int = 0
    multiple: int = 0
    operations: int = 0
    crossovers: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    sums: dict[str, Sums] = field(default_factory=dict)
    bins: dict[int, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    ratings: list[int] = field(default_factory=lambda: [0] * RATINGS)
    """Units by their mean rating, rounded: 1 to 5."""


Arms = dict[ArmName, ArmChange]
Days = Counter[tuple[str, UUID, date]]
Rows = Mapping[UnitKey, Sequence[Candidate]]
Pasts = Mapping[UnitKey, tuple[int, ...]]
"""What units did before their test; who did nothing is not in it."""
Units = Mapping[UnitKey, UnitState]


@dataclass(slots=True)
class Changes:
    """What a batch amounts to: units as they are now, and what their arms gain."""

    units: dict[UnitKey, UnitState] = field(default_factory=dict)
    arms: Arms = field(default_factory=lambda: defaultdict(ArmChange))
    days: Days = field(default_factory=Counter)


def by_unit(fresh: Iterable[Candidate]) -> dict[UnitKey, list[Candidate]]:
    """Fresh rows of each unit, units in the order in which they are locked."""
    groups: dict[UnitKey, list[Candidate]] = {}
    for row in fresh:
        groups.setdefault(row.key, []).append(row)
    return dict(sorted(groups.items()))


@lru_cache(MOST_CELLS)
def cell_of(key: UnitKey) -> int:
    """One of 1,024 cells, by a hash that no variant depends on."""
    parts = (str(key.test_id), CELL_SALT, key.unit)
    first = sha256(SEPARATOR.join(parts).encode()).digest()[:8]
    return int.from_bytes(first, "big") >> (64 - CELL_BITS)


def group_of(cell: int) -> int:
    """One of 20 groups of cells."""
    return cell * GROUPS >> CELL_BITS


def places_of(stored: Units, fresh: Rows, tests: Tests, pasts: Pasts) -> dict[UnitKey, UnitState]:
    """Where fresh rows put their units; totals are still as they were."""
    found = {}
    for key, rows in fresh.items():
        test = _test(tests, key)
        place = placed(stored[key], rows, test)
        if test.past.is_made or place.past is not None:
            # By the test as this transaction knows it: one that knows it as it was before its past
            # was made takes the unit back, and whoever makes the past complete comes after it.
            past = pasts.get(key, NOTHING) if test.past.is_made else None
            place = place._replace(past=past)
        found[key] = place
    return found


def remakings(stored: Units, places: Units, fresh: Rows, tests: Tests) -> dict[UnitKey, Remaking]:
    """Units of which all rows must be read, since old ones count differently now."""
    return {
        key: Remaking(
            stored[key],
            place,
            {row.identity for row in fresh[key]},
            _test(tests, key).past.limits,
        )
        for key, place in places.items()
        if is_moved(stored[key], place)
    }


def fold(
    stored: Units, places: Units, fresh: Rows, remade: Mapping[UnitKey, Remade], tests: Tests
) -> Changes:
    """Add fresh rows; `remade` holds what all rows of those units that are `moved` amount to."""
    changes = Changes()
    for key, rows in fresh.items():
        before, place = stored[key], places[key]
        gone: Iterable[int] = ()
        if key in remade:
            after = place._replace(totals=remade[key].totals)
            gone, added = remade[key].gone.elements(), remade[key].added.elements()
        else:
            counted = place.counted(rows)
            after = with_totals(place, counted, before.totals, _test(tests, key).past.limits)
            added = iter(bins_of(counted))
        changes.units[key] = after
        if before.home is not None:
            arm = changes.arms[_arm(key, before.home)]
            if gone:
                _change_bins(arm, key, before, gone, -1)
            if before.home != after.home:
                _change(changes, arm, key, before, None)
        if after.home is not None:
            arm = changes.arms[_arm(key, after.home)]
            _change(changes, arm, key, before if before.home == after.home else None, after)
            _change_bins(arm, key, after, added, 1)
            _change_times(arm, rows)
    return changes


def _change(
    changes: Changes,
    arm: ArmChange,
    key: UnitKey,
    before: UnitState | None,
    after: UnitState | None,
) -> None:
    """Take a unit's old share out of an arm, and put the new one in."""
    for state, sign in ((before, -1), (after, 1)):
        if state is None:
            continue
        if state.is_multiple:
            arm.multiple += sign
            continue
        arm.units += sign
        arm.operations += sign * state.totals[N]
        arm.crossovers += sign * state.totals[CROSSOVERS]
        rating = rating_of(state.totals)
        if rating is not None:
            arm.ratings[rating - 1] += sign
    _change_days(changes.days, key, before, -1)
    _change_days(changes.days, key, after, 1)
    shift(arm.sums, _summed(before), _summed(after), _past(before), _past(after))


def _change_days(days: Days, key: UnitKey, state: UnitState | None, sign: int) -> None:
    if state is not None and state.first_at is not None and not state.is_multiple:
        days[key.tenant_id, key.test_id, state.first_at.date()] += sign


def _change_bins(
    arm: ArmChange, key: UnitKey, state: UnitState, found: Iterable[int], sign: int
) -> None:
    if state.is_multiple:
        return
    bins = arm.bins[group_of(cell_of(key))]
    for one in found:
        bins[one] += sign


def _change_times(arm: ArmChange, rows: Sequence[Candidate]) -> None:
    times = [row.counts_at for row in rows]
    if arm.first_at is not None and arm.last_at is not None:
        times += [arm.first_at, arm.last_at]
    arm.first_at, arm.last_at = min(times, default=None), max(times, default=None)


def _summed(state: UnitState | None) -> Sequence[int]:
    return NOTHING if state is None or state.is_multiple else state.totals


def _past(state: UnitState | None) -> Sequence[int]:
    return NOTHING if state is None or state.past is None else state.past


def _arm(key: UnitKey, home: Seen) -> ArmName:
    return ArmName(key.tenant_id, key.test_id, *home)


def _test(tests: Tests, key: UnitKey) -> LiveTest:
    return tests[key.tenant_id][key.test_id]
