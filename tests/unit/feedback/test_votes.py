"""One current vote per voter, and whose word about consent counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.feedback.domain.votes import (
    Feedback,
    consent,
    current,
    is_own_judge,
    judges,
    superseded,
)
from tests.unit.feedback.said import feedback, feedbacks


@given(feedbacks(), st.data())
def test_order_and_repeats_of_arrival_are_nothing(
    said: list[Feedback], data: st.DataObject
) -> None:
    repeats = data.draw(st.lists(st.sampled_from(said), max_size=3)) if said else []
    arrived = data.draw(st.permutations([*said, *repeats]))
    assert current(arrived) == current(said)
    assert superseded(arrived) == superseded(said)
    assert consent(arrived) == consent(said)


@given(feedbacks())
def test_each_feedback_is_current_or_superseded(said: list[Feedback]) -> None:
    votes = current(said)
    assert {one.identity for one in votes} | superseded(said) == {one.identity for one in said}
    assert len(votes) + len(superseded(said)) == len(said)
    assert len({one.voter for one in votes}) == len(votes)


def test_a_later_feedback_of_a_user_replaces_the_earlier_one_whole() -> None:
    first, later = feedback(2, 5, user="ann"), feedback(1, minute=1, user="ann", correction="so")
    assert current([later, first]) == [later]
    assert superseded([later, first]) == {first.identity}


def test_of_one_instant_the_higher_event_id_is_later() -> None:
    assert current([feedback(2, 5, user="ann"), feedback(1, 1, user="ann")])[0].event_id.int == 2


def test_who_gives_no_name_is_a_voter_each_time() -> None:
    assert len(current([feedback(1, 5), feedback(2, 5)])) == 2


def test_a_judging_model_without_user_has_one_vote() -> None:
    said = [feedback(n, 3 + n, minute=n, source="model", author="judge") for n in (1, 2)]
    assert current(said) == said[1:]


@pytest.mark.parametrize(
    ("said", "allowed"),
    [
        ([], None),
        ([feedback(1, user="ann")], None),
        ([feedback(1, user="ann", consent=True)], True),
        ([feedback(1, user="ann", consent=True), feedback(2, minute=1, user="ann")], True),
        (
            [
                feedback(1, user="ann", consent=False),
                feedback(2, minute=1, user="ann", consent=True),
            ],
            True,
        ),
        ([feedback(1, user="ann", consent=False), feedback(2, user="ben", consent=True)], False),
        ([feedback(1, source="code", consent=True)], None),
        ([feedback(1, source="code", consent=False)], False),
    ],
)
def test_consent(said: list[Feedback], allowed: bool | None) -> None:
    assert consent(said) is allowed


def test_a_model_that_judges_itself_is_known_by_its_id_and_by_its_pseudonym() -> None:
    by_id, by_user = (
        feedback(1, 5, source="model", author="m1"),
        feedback(2, 5, source="model", user="v1.ab"),
    )
    assert is_own_judge(by_id, ["m1", "v1.ab"])
    assert is_own_judge(by_user, ["m1", "v1.ab"])
    other, person = feedback(3, 5, source="model", author="m2"), feedback(4, 5, user="m1")
    assert not is_own_judge(other, ["m1"])
    assert not is_own_judge(person, ["m1"])
    told = judges([by_id, other, person], ["m1", "v1.ab"])
    assert told == {by_id.identity: True, other.identity: False}
