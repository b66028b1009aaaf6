"""Votes that people gave, and their sums as the store would give them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import numpy as np

from services.gateway.domain.analysis.sums import ASPECTS, METRICS, Group, Judged
from shared.experiments.moments import Unit, of_units

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
Vote = tuple[str, int]
"""Who, and what."""


def judged(votes: Iterable[Vote]) -> Judged:
    """Sums of votes over people."""
    persons: dict[str, tuple[int, int]] = {}
    squares = 0
    for person, value in votes:
        m, d = persons.get(person, (0, 0))
        persons[person] = m + value, d + 1
        squares += value * value
    return Judged(of_units(Unit(m, d) for m, d in persons.values()), squares)


def group(
    *key: str | None,
    at: datetime = NOON,
    votes: int | None = None,
    **metrics: Judged,
) -> Group:
    """What was said of one thing; all metrics that are not given were not judged."""
    assert set(metrics) <= set(METRICS)
    count = votes if votes is not None else max((one.given for one in metrics.values()), default=0)
    return Group(key, count, 0, count, at, metrics, dict.fromkeys(ASPECTS, 0))


def drawn(
    chance: np.random.Generator, rate: float, votes: int, people: int, habit: float = 0.0
) -> Judged:
    """Thumbs of people whose own rates differ by a beta distribution (`habit` = its 1/(a+b+1))."""
    if habit:
        scale = 1 / habit - 1
        own = chance.beta(rate * scale, (1 - rate) * scale, people)
    else:
        own = np.full(people, rate)
    who = chance.integers(0, people, votes)
    said = chance.random(votes) < own[who]
    return judged((f"p{one}", int(value)) for one, value in zip(who, said, strict=True))


def stars(chance: np.random.Generator, shares: Mapping[int, float], votes: int) -> Judged:
    """Ratings of as many people."""
    given = chance.choice(list(shares), votes, p=list(shares.values()))
    return judged((f"p{at}", int(value)) for at, value in enumerate(given))
