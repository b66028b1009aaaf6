"""How much a row counts in training: quality, outcome, checks, confidence; 0.5 if unknown."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import fsum

from services.feedback.domain.formulas import Formula
from services.feedback.domain.quality import Counted, Vote, count, quality

REFRESH_AFTER = timedelta(days=7)
"""A week changes a weight by age alone by less than 0.002: docs/feedback.md has the bound."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of one row. Terms are 0 to 1, `None` if missing."""

    votes: tuple[Vote, ...] = ()
    outcome: float | None = None
    checks: float | None = None
    confidence: float | None = None  # recalibrated: what a model says of itself is none
    consent: bool | None = None
    is_blocked: bool = False
    own_judgements: int = 0  # of the judged model: told in the reasons, never weighted


@dataclass(frozen=True, slots=True)
class Weighed:
    """A row's quality and weight, with every term they were made of."""

    version: str
    at: datetime
    quality: float
    weight: float
    votes: tuple[Counted, ...]
    evidence: Evidence


def weigh(evidence: Evidence, at: datetime, formula: Formula) -> Weighed:
    """Quality and weight at an instant. The same arguments give the same bits.

    Raises ValueError if a term is no number from 0 to 1.
    """
    votes = tuple(count(vote, at, formula) for vote in evidence.votes)
    found = quality(votes, formula)
    is_out = evidence.consent is False or evidence.is_blocked
    weight = 0.0 if is_out else _weight(found, evidence, formula)
    return Weighed(formula.version, at, found, weight, votes, evidence)


def instant(now: datetime) -> datetime:
    """The instant at which rows are weighed: the start of the day in UTC.

    All rows of a day share it, so that they compare, and what comes later in the day, in whatever
    order, gives the same bits.
    """
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def is_due(weighed_at: datetime, now: datetime) -> bool:
    """Whether age alone is a reason to weigh a row anew."""
    return instant(now) - weighed_at >= REFRESH_AFTER


def _weight(found: float, evidence: Evidence, formula: Formula) -> float:
    parts = (
        (formula.quality, found),
        (formula.outcome, evidence.outcome),
        (formula.checks, evidence.checks),
        (formula.confidence, evidence.confidence),
    )
    return min(1.0, fsum(share * _known(term, formula) for share, term in parts))


def _known(term: float | None, formula: Formula) -> float:
    if term is None:
        return formula.neutral
    if not 0 <= term <= 1:
        raise ValueError(f"a term of the weight lies between 0 and 1, is {term}")
    return term
