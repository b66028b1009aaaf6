"""Rows explain themselves, with numbers and without names."""

from datetime import timedelta

from hypothesis import given

from services.feedback.domain.evidence import Answer, of_corrections, of_original
from services.feedback.domain.formulas import CURRENT, V1
from services.feedback.domain.reasons import reasons
from services.feedback.domain.votes import Feedback
from services.feedback.domain.weighting import Evidence, weigh
from tests.unit.feedback.said import ANGRY, EVIDENCE, GLAD, NOON, feedback, feedbacks

ANSWER = Answer(frozenset({"judged"}), "given", success=False, confidence=0.82)
RELIABLE = {"user:ann": 0.8}


def told(*said: Feedback, answer: Answer = ANSWER) -> tuple[str, ...]:
    return reasons(weigh(of_original(answer, said, RELIABLE), NOON, CURRENT))


def test_nothing_known() -> None:
    assert told(answer=Answer()) == ("nothing known: 0.5",)


def test_votes_are_grouped_and_the_heaviest_come_first() -> None:
    assert told(
        feedback(1, 5, user="ann"),
        feedback(2, 5, user="ben"),
        feedback(3, source="reviewer", correction="right"),
        feedback(4, 4, source="code"),
        feedback(5, source="model", author="judged", thumbs={"helpful": True}),
        feedback(6, comment=GLAD),
        feedback(7, source="model", author="judge", thumbs={"helpful": True}),
    ) == (
        "rated 5 of 5 by 2 users (reliability 0.30 and 0.80)",
        "corrected by 1 reviewer (reliability 0.30)",
        "thumbs up by 1 model judge (reliability 0.30)",
        "comment read as 0.9 (0 bad, 1 good) by 1 voter (reliability 0.30)",
        "1 of the model's judgements on itself not weighted",
        "the operation failed",
        "checks by code: 0.75",
        "recalibrated confidence 0.82",
    )


def test_a_contradiction_says_what_it_does_in_this_version() -> None:
    said = [feedback(1, 5, comment=ANGRY), feedback(2, 5)]
    known = of_original(Answer(), said, {})
    old, new = (reasons(weigh(known, NOON, version))[-1] for version in (V1, CURRENT))
    assert new == "comment contradicts the rating in 1 of 2 votes: drawn towards 0.5"
    assert old == "comment contradicts the rating in 1 of 2 votes: told only"


def test_a_correction_and_a_withdrawal() -> None:
    said = [feedback(1, user="ann", correction="right", consent=False)]
    row = weigh(of_corrections(ANSWER, said, RELIABLE)["right"], NOON, CURRENT)
    assert reasons(row) == (
        "consent was withdrawn: weight 0",
        "written as a correction by 1 user (reliability 0.80)",
    )


@given(EVIDENCE)
def test_there_are_few_and_they_are_short(known: Evidence) -> None:
    found = reasons(weigh(known, NOON, CURRENT))
    assert 1 <= len(found) <= 11
    assert all(len(one) < 100 for one in found)


@given(feedbacks())
def test_nobody_is_named(said: list[Feedback]) -> None:
    found = " ".join(told(*said))
    assert not any(name in found for name in ("ann", "ben"))
    later = weigh(of_original(ANSWER, said, RELIABLE), NOON + timedelta(days=9), CURRENT)
    assert len(reasons(later)) <= 11
