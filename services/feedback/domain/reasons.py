"""Why a row has its quality and weight: sentences with numbers, and nobody's name."""

from collections.abc import Iterator, Sequence
from math import fsum

from services.feedback.domain.evidence import COMMENT, CONFIRMATION, CORRECTION
from services.feedback.domain.formulas import Kind
from services.feedback.domain.quality import Counted
from services.feedback.domain.sentiment.merge import STARS
from services.feedback.domain.weighting import Weighed

MOST_GROUPS = 4
_FEW = 2
_WHO = {
    Kind.EXPERT: ("reviewer", "reviewers"),
    Kind.USER: ("user", "users"),
    Kind.MODEL: ("model judge", "model judges"),
    Kind.IMPLICIT: ("voter", "voters"),
}


def reasons(row: Weighed) -> tuple[str, ...]:
    """At most eleven sentences; the gravest first."""
    return (*_out(row), *(list(_in(row)) or ["nothing known: 0.5"]))


def _out(row: Weighed) -> Iterator[str]:
    if row.evidence.consent is False:
        yield "consent was withdrawn: weight 0"
    if row.evidence.is_blocked:
        yield "the row is blocked: weight 0"


def _in(row: Weighed) -> Iterator[str]:
    yield from _of_votes(row.votes)
    yield from _contradictions(row.votes)
    if own := row.evidence.own_judgements:
        yield f"{own} of the model's judgements on itself not weighted"
    if row.evidence.outcome is not None:
        yield "the operation succeeded" if row.evidence.outcome else "the operation failed"
    if row.evidence.checks is not None:
        yield f"checks by code: {row.evidence.checks:.2f}"
    if row.evidence.confidence is not None:
        yield f"recalibrated confidence {row.evidence.confidence:.2f}"


def _of_votes(votes: Sequence[Counted]) -> Iterator[str]:
    groups: dict[tuple[str, Kind], list[Counted]] = {}
    for one in votes:
        groups.setdefault((_said(one), one.vote.kind), []).append(one)
    ranked = sorted(groups.items(), key=lambda group: (-_counts(group[1]), group[0]))
    for (said, kind), group in ranked[:MOST_GROUPS]:
        yield f"{said} by {len(group)} {_WHO[kind][len(group) > 1]}{_reliable(group)}"
    if rest := ranked[MOST_GROUPS:]:
        yield f"{sum(len(group) for _, group in rest)} further votes that count less"


def _counts(group: Sequence[Counted]) -> float:
    return fsum(one.counts for one in group)


def _said(one: Counted) -> str:
    told, how = one.vote.stance, one.vote.how
    if how == CORRECTION:
        return "written as a correction" if told else "corrected"
    if how == CONFIRMATION:
        return "confirmed word for word"
    if how == STARS:
        return f"rated {1 + 4 * told:.0f} of 5"
    if how == COMMENT:
        return f"comment read as {told:.1f} (0 bad, 1 good)"
    return {0.0: "thumbs down", 1.0: "thumbs up"}.get(told, f"thumbs at {told:.2f}")


def _reliable(group: Sequence[Counted]) -> str:
    held = sorted({f"{one.vote.reliability:.2f}" for one in group})
    joint = " and " if len(held) <= _FEW else " to "
    return f" (reliability {joint.join(dict.fromkeys((held[0], held[-1])))})"


def _contradictions(votes: Sequence[Counted]) -> Iterator[str]:
    against = [one for one in votes if one.vote.is_contradicted]
    if against:
        what = "rating" if all(one.vote.how == STARS for one in against) else "rating or thumbs"
        effect = "drawn towards 0.5" if against[0].stance != against[0].vote.stance else "told only"
        yield f"comment contradicts the {what} in {len(against)} of {len(votes)} votes: {effect}"
