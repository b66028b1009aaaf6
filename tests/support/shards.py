"""V8: events on many shards, doubled and mixed, must be the events in one pass."""

import math
import random
from collections.abc import Iterable

from shared.experiments import estimators, moments
from shared.experiments.estimators import Arm
from shared.experiments.moments import Moments, Unit

Event = tuple[int, int, int, int]
"""Number, user, e, f."""


def shards(events: int, seed: int, *, count: int = 8) -> dict[str, float]:
    """Sums that are not the same, and the difference of the two ratios over its SE."""
    chance = random.Random(seed)
    made = [
        (number, chance.randrange(2_000), chance.randrange(-50, 5_000_000), chance.randrange(1, 9))
        for number in range(events)
    ]
    whole = _one_pass(made)
    arrived = [*made, *chance.choices(made, k=events // 10)]
    chance.shuffle(arrived)
    place = [chance.randrange(count) for _ in range(2_000)]
    parts = [_as_they_come(one for one in arrived if place[one[1]] == p) for p in range(count)]
    chance.shuffle(parts)
    total = moments.EMPTY
    for part in parts:
        total = moments.merged(total, part)
    ours, theirs = estimators.ratio(total), estimators.ratio(whole)
    assert isinstance(ours, Arm)
    assert isinstance(theirs, Arm)
    error = abs(ours.value - theirs.value) / math.sqrt(theirs.squared_error)
    return {
        "sums that differ": sum(a != b for a, b in zip(total, whole, strict=True)),
        "difference over SE": error,
    }


def _one_pass(events: list[Event]) -> Moments:
    totals = moments.folded((str(user), e, f) for _, user, e, f in events)
    return moments.of_units(Unit(m, d) for m, d in totals.values())


def _as_they_come(events: Iterable[Event]) -> Moments:
    seen: set[int] = set()
    rows: dict[int, Unit] = {}
    arm = moments.EMPTY
    for number, user, e, f in events:
        if number in seen:
            continue
        seen.add(number)
        if user not in rows:
            rows[user] = Unit()
            arm = moments.joined(arm, rows[user])
        arm, rows[user] = moments.event(arm, rows[user], e, f)
    return arm
