"""Quality of an answer: the mean of what was said of it, nearer to 0.5 the less was said."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import fsum

from services.feedback.domain.formulas import Formula, Kind

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Vote:
    """What one voter says of one answer. `stance` 0 (bad) to 1 (good); `how` it was said."""

    kind: Kind
    stance: float
    reliability: float
    occurred_at: datetime
    how: str
    is_contradicted: bool = False  # by the voter's own comment


@dataclass(frozen=True, slots=True)
class Counted:
    """A vote as it counts at an instant: kept with the row, so that its quality can be retraced."""

    vote: Vote
    age_days: float
    stance: float  # after what a contradiction takes
    counts: float  # f = source · reliability · 2^(-age/half-life)


def count(vote: Vote, at: datetime, formula: Formula) -> Counted:
    """What a vote counts at an instant; one that is dated later counts as new.

    Raises ValueError if stance or reliability is no number from 0 to 1.
    """
    if not (0 <= vote.stance <= 1 and 0 <= vote.reliability <= 1):
        raise ValueError(f"stance {vote.stance} and reliability {vote.reliability}: not in 0 to 1")
    age = max(0.0, (at - vote.occurred_at) / _DAY)
    kept = formula.conflict_keeps if vote.is_contradicted else 1
    # Two products, not a distance from neutral: with 1 kept, the stance stays bit for bit.
    stance = kept * vote.stance + (1 - kept) * formula.neutral
    fresh = 2.0 ** (-age / formula.half_life_days)
    return Counted(vote, age, stance, formula.sources[vote.kind] * vote.reliability * fresh)


def quality(votes: Sequence[Counted], formula: Formula) -> float:
    """(0.5 + Σ f·s)/(1 + Σ f), from 0 to 1. Sums are exact, so the order of votes is nothing."""
    said = fsum([formula.prior * formula.neutral, *(one.counts * one.stance for one in votes)])
    # Each product is rounded: without a bound the best could end one bit above 1.
    return min(1.0, said / fsum([formula.prior, *(one.counts for one in votes)]))
