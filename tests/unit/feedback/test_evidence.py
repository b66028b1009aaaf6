"""What feedback says of the answer, and of what should have been answered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.feedback.domain.agreement import Stand
from services.feedback.domain.evidence import (
    MOST_VOTES,
    Answer,
    of_corrections,
    of_original,
    stance,
    stands,
)
from services.feedback.domain.formulas import CURRENT, Kind
from services.feedback.domain.votes import Feedback
from services.feedback.domain.weighting import weigh
from tests.unit.feedback.said import ANGRY, GLAD, NOON, UNSURE, feedback, feedbacks

ANSWER = Answer(frozenset({"judged"}), output="given", success=True)
RELIABLE = {"user:ann": 0.8, "model:judge": 0.6}


@pytest.mark.parametrize(
    ("said", "value", "how"),
    [
        (feedback(1, 1), 0.0, "rating"),
        (feedback(1, 4), 0.75, "rating"),
        (feedback(1, thumbs={"helpful": True}), 1.0, "aspects"),
        (feedback(1, thumbs={"helpful": True, "accurate": False}), 0.5, "aspects"),
        (feedback(1, comment=GLAD), 0.9, "comment"),
        (feedback(1, 5, correction="so"), 0.0, "correction"),
        (feedback(1, 1, correction=" given "), 1.0, "confirmation"),
        (feedback(1, 5, correction=" "), 1.0, "rating"),
    ],
)
def test_stance(said: Feedback, value: float, how: str) -> None:
    found = stance(said, "given")
    assert found is not None
    assert (found.value, found.how) == (pytest.approx(value), how)


@pytest.mark.parametrize(
    "said", [feedback(1), feedback(1, comment=UNSURE), feedback(1, thumbs={"fast": True})]
)
def test_who_says_nothing_has_no_stance(said: Feedback) -> None:
    assert stance(said, None) is None
    assert of_original(ANSWER, [said], {}).votes == ()


def test_a_comment_that_contradicts_is_told_from_one_that_agrees() -> None:
    said = [
        feedback(1, 5, comment=ANGRY),
        feedback(2, 5, comment=GLAD),
        feedback(3, 3, comment=GLAD),
    ]
    assert [vote.is_contradicted for vote in of_original(ANSWER, said, {}).votes] == [
        True,
        False,
        False,
    ]


def test_votes_know_their_kind_and_their_voters_reliability() -> None:
    said = [
        feedback(1, 5, user="ann"),
        feedback(2, 5, source="reviewer"),
        feedback(3, 5, source="model", author="judge"),
        feedback(4, comment=GLAD, user="new"),
    ]
    votes = of_original(ANSWER, said, RELIABLE).votes
    assert [(vote.kind, vote.reliability) for vote in votes] == [
        (Kind.USER, 0.8),
        (Kind.EXPERT, 0.3),
        (Kind.MODEL, 0.6),
        (Kind.IMPLICIT, 0.3),
    ]


def test_programs_check_and_have_no_vote() -> None:
    said = [feedback(1, 5, source="code"), feedback(2, 1, source="code"), feedback(3, 1)]
    known = of_original(ANSWER, said, {})
    assert (known.checks, len(known.votes), known.outcome) == (0.5, 1, 1.0)


def test_a_model_that_judges_itself_is_not_weighted() -> None:
    said = [feedback(1, 5, source="model", author="judged", correction="so")]
    known = of_original(ANSWER, said, {})
    assert (known.votes, known.own_judgements) == ((), 1)
    assert of_corrections(ANSWER, said, {}) == {}
    assert stands(ANSWER, said) == []


def test_a_correction_is_a_row_of_its_own_with_all_who_wrote_it() -> None:
    said = [
        feedback(1, 5, user="ann", correction="right", consent=True),
        feedback(2, source="reviewer", correction="right "),
        feedback(3, user="ben", correction="other"),
        feedback(4, correction="given"),
        feedback(5, source="code", correction="right"),
    ]
    rows = of_corrections(ANSWER, said, RELIABLE)
    assert {text: [vote.stance for vote in row.votes] for text, row in rows.items()} == {
        "right": [1.0, 1.0],
        "other": [1.0],
    }
    right = rows["right"]
    assert (right.checks, right.outcome, right.confidence, right.consent) == (1.0, None, None, True)
    original = of_original(ANSWER, said, RELIABLE)
    assert [vote.stance for vote in original.votes] == [0.0, 0.0, 0.0, 1.0]
    assert original.checks == 0.0


def test_a_correction_weighs_more_than_what_it_corrects() -> None:
    said = [feedback(1, source="reviewer", correction="right")]
    wrong = weigh(of_original(ANSWER, said, {}), NOON, CURRENT)
    right = weigh(of_corrections(ANSWER, said, {})["right"], NOON, CURRENT)
    assert wrong.quality < 0.5 < right.quality


@given(feedbacks(), st.data())
def test_order_of_arrival_is_nothing(said: list[Feedback], data: st.DataObject) -> None:
    arrived = data.draw(st.permutations(said))
    assert of_original(ANSWER, arrived, RELIABLE) == of_original(ANSWER, said, RELIABLE)
    assert of_corrections(ANSWER, arrived, RELIABLE) == of_corrections(ANSWER, said, RELIABLE)
    assert stands(ANSWER, arrived) == stands(ANSWER, said)


def test_raters_are_compared_by_what_they_said_outright() -> None:
    said = [
        feedback(1, 5, user="ann"),
        feedback(2, 2),
        feedback(3, comment=GLAD, user="ben"),
        feedback(4, 5, source="code", user="ci"),
    ]
    assert stands(ANSWER, said) == [Stand("user:ann", 1.0), Stand(None, 0.25)]


def test_only_the_newest_votes_of_a_flood_count() -> None:
    said = [feedback(number, 1, minute=number) for number in range(MOST_VOTES + 2)]
    votes = of_original(ANSWER, said, {}).votes
    assert (len(votes), votes[0].occurred_at) == (MOST_VOTES, said[2].occurred_at)
