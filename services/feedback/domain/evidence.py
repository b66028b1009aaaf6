"""From the feedback of an operation to what is known of its answer, and of each correction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import fsum

from services.feedback.domain.agreement import Stand
from services.feedback.domain.formulas import Kind
from services.feedback.domain.quality import Vote
from services.feedback.domain.raters import START
from services.feedback.domain.sentiment.merge import STARS, THUMBS
from services.feedback.domain.votes import Feedback, Source, consent, current, is_own_judge
from services.feedback.domain.weighting import Evidence

MOST_VOTES = 1_000
"""The newest of a row that count: its terms are stored with it, some 100 bytes a vote."""
CORRECTION, CONFIRMATION, COMMENT = "correction", "confirmation", "comment"
EXPLICIT = (STARS, THUMBS, CORRECTION, CONFIRMATION)
_KINDS = {
    Source.REVIEWER: Kind.EXPERT,
    Source.USER: Kind.USER,
    Source.MODEL: Kind.MODEL,
    Source.CODE: Kind.CODE,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What feedback is about. `judged`: the model's id, and the pseudonym of that id."""

    judged: frozenset[str] = frozenset()
    output: str | None = None
    success: bool | None = None
    confidence: float | None = None  # recalibrated, else None
    is_blocked: bool = False


@dataclass(frozen=True, slots=True)
class Stance:
    """What a voter says of the answer, 0 to 1, and how it was said."""

    value: float
    how: str
    is_contradicted: bool = False


def stance(one: Feedback, output: str | None) -> Stance | None:
    """A correction says 0 whatever the stars, unless it is the answer itself; `None`: nothing."""
    if right := _correction(one):
        is_same = output is not None and right == output.strip()
        return Stance(1.0, CONFIRMATION) if is_same else Stance(0.0, CORRECTION)
    if one.is_corrected:  # by a text that was not kept
        return Stance(0.0, CORRECTION)
    if one.said.label is None or one.said.score is None:
        return None
    how = one.said.method if one.said.method in (STARS, THUMBS) else COMMENT
    return Stance((one.said.score + 1) / 2, how, how in one.said.conflict)


def of_original(
    answer: Answer, feedback: Iterable[Feedback], reliable: Mapping[str, float]
) -> Evidence:
    """What is known of the answer that was given. `reliable`: of each rater, as of last night."""
    said = list(feedback)
    told = current(said)
    counted = _counted(told, answer)
    stances = ((one, stance(one, answer.output)) for one in counted)
    votes = [_vote(one, found, reliable) for one, found in stances if found is not None]
    return replace(
        _of_votes(votes),
        outcome=None if answer.success is None else float(answer.success),
        confidence=answer.confidence,
        consent=consent(said),
        is_blocked=answer.is_blocked,
        own_judgements=len(told) - len(counted),
    )


def of_corrections(
    answer: Answer, feedback: Iterable[Feedback], reliable: Mapping[str, float]
) -> dict[str, Evidence]:
    """A row for each text that was given instead, with a vote of 1 of each voter who gave it.

    How the operation went and how sure the model was say nothing of a text it did not write.
    """
    said = list(feedback)
    rows: dict[str, list[Vote]] = {}
    for one in _counted(current(said), answer):
        found = stance(one, answer.output)
        if found is not None and found.how == CORRECTION and _correction(one):
            vote = _vote(one, Stance(1.0, CORRECTION), reliable)
            rows.setdefault(_correction(one), []).append(vote)
    allowed = consent(said)
    return {
        text: replace(_of_votes(votes), consent=allowed, is_blocked=answer.is_blocked)
        for text, votes in rows.items()
    }


def stands(answer: Answer, feedback: Iterable[Feedback]) -> list[Stand]:
    """What raters are compared by: said outright, not read from a comment, and not by programs."""
    told = _counted(current(feedback), answer)
    said = ((one, stance(one, answer.output)) for one in told if one.source is not Source.CODE)
    return [
        Stand(one.rater, found.value)
        for one, found in said
        if found is not None and found.how in EXPLICIT
    ]


def _counted(told: Iterable[Feedback], answer: Answer) -> list[Feedback]:
    return [one for one in told if not is_own_judge(one, answer.judged)]


def _correction(one: Feedback) -> str:
    return (one.correction or "").strip()


def _vote(one: Feedback, said: Stance, reliable: Mapping[str, float]) -> Vote:
    return Vote(
        _KINDS[one.source] if said.how in EXPLICIT else Kind.IMPLICIT,
        said.value,
        reliable.get(one.rater or "", START),
        one.occurred_at,
        said.how,
        said.is_contradicted,
    )


def _of_votes(votes: list[Vote]) -> Evidence:
    """Programs check, others judge: what a test found is no opinion to be weighed with theirs."""
    newest = votes[-MOST_VOTES:]
    judged = tuple(one for one in newest if one.kind is not Kind.CODE)
    return Evidence(judged, checks=_mean([one.stance for one in newest if one.kind is Kind.CODE]))


def _mean(values: Sequence[float]) -> float | None:
    return fsum(values) / len(values) if values else None
