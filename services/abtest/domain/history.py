"""What is kept of looks over time: each comparison's interval, thinned as the test grows older.

Time from a test's start is cut into slots of one length, and of each slot the last look stays. The
length is 10 s, doubled until a test of this age has at most 500 slots. A slot holds whole slots of
half its length, so thinning again and again leaves what thinning all looks at once would leave.

The last look is always the last of its slot. The first look whose interval excluded zero is kept
beside these, for good: no crossing is thinned away, though one that was taken back within a slot
may be seen as its beginning only.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from shared.experiments.results import Method, ResultsAnswer

MOST_SLOTS: Final = 500
SHORTEST: Final = timedelta(seconds=10)
HOLDS_AT_EVERY_LOOK: Final[frozenset[Method]] = frozenset({"always_valid", "hybrid"})


class Place(NamedTuple):
    """Which comparison, at which look."""

    at: datetime
    metric: str
    variant: str


class Point(NamedTuple):
    """An interval as one look had it, in the metric's own unit; `units` are those of both arms."""

    at: datetime
    metric: str
    variant: str
    units: int
    difference: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether it says that there is a difference."""
        return self.low > 0 or self.high < 0


def points(answer: ResultsAnswer) -> list[Point]:
    """What a look says over time: intervals that hold at every look, on enough data.

    Before there is enough data, and of intervals for one look only, there is none; nor of broken
    data, whose effects are hidden.
    """
    return [
        Point(answer.as_of, one.metric, one.variant, one.units, one.difference, one.low, one.high)
        for one in answer.comparisons
        if one.enough_data
        and one.method in HOLDS_AT_EVERY_LOOK
        and one.difference is not None
        and one.low is not None
        and one.high is not None
    ]


def slot_length(age: timedelta) -> timedelta:
    """How long slots are in a test of an age."""
    length = SHORTEST
    while age >= MOST_SLOTS * length:
        length *= 2
    return length


def thinned_from(started_at: datetime, before: datetime | None, at: datetime) -> datetime:
    """From when on a look at `at` may have made others needless; `before` is the last one's time.

    Within its own slot, but everywhere when slots have become longer since.
    """
    length = slot_length(at - started_at)
    if before is not None and slot_length(before - started_at) < length:
        return started_at
    return started_at + (at - started_at) // length * length


def needless(places: Iterable[Place], started_at: datetime, at: datetime) -> list[Place]:
    """Places that are not the last of their slots; `at` is the time of the last look."""
    length, last = slot_length(at - started_at), dict[tuple[str, str, int], Place]()
    found = []
    for one in sorted(places):
        slot = (one.metric, one.variant, (one.at - started_at) // length)
        if slot in last:
            found.append(last[slot])
        last[slot] = one
    return found
