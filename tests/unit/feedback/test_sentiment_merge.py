"""Stars and thumbs come first; a comment adds where they are silent."""

import pytest

from services.feedback.domain.sentiment.labels import Label, Sentiment
from services.feedback.domain.sentiment.merge import merge

GRUMPY = Sentiment(Label.NEGATIVE, -0.8, 0.9, "test", "1", "en", {"accurate": False})
SILENT = Sentiment(None, 0.1, 0.4, "test", "1", "en")


@pytest.mark.parametrize(
    ("rating", "label", "score"),
    [
        (1, Label.NEGATIVE, -1.0),
        (2, Label.NEGATIVE, -0.5),
        (3, Label.NEUTRAL, 0.0),
        (4, Label.POSITIVE, 0.5),
        (5, Label.POSITIVE, 1.0),
    ],
)
def test_a_rating_is_the_judgement_whatever_the_comment_says(
    rating: int, label: Label, score: float
) -> None:
    found = merge(rating, {}, GRUMPY)
    assert (found.label, found.score, found.confidence, found.method) == (
        label,
        score,
        1.0,
        "rating",
    )


def test_without_rating_and_thumbs_the_comment_judges() -> None:
    found = merge(None, {}, GRUMPY)
    assert (found.label, found.score, found.confidence) == (Label.NEGATIVE, -0.8, 0.9)
    assert (found.method, found.version) == ("test", "1")


def test_thumbs_that_agree_judge_before_the_comment() -> None:
    found = merge(None, {"helpful": True, "relevant": True}, GRUMPY)
    assert (found.label, found.score, found.method) == (Label.POSITIVE, 1.0, "aspects")
    assert found.conflict == ("aspects",)


def test_thumbs_that_differ_leave_it_to_the_comment() -> None:
    thumbs = {"helpful": True, "relevant": False}
    assert merge(None, thumbs, GRUMPY).label is Label.NEGATIVE
    assert merge(None, thumbs, SILENT).label is Label.NEUTRAL


def test_speed_alone_judges_nothing() -> None:
    assert merge(None, {"fast": True}, GRUMPY).label is Label.NEGATIVE
    assert merge(None, {"fast": True}, None).label is None


def test_a_comment_adds_aspects_that_were_left_open() -> None:
    found = merge(5, {"helpful": True, "accurate": None}, GRUMPY)
    assert found.aspects == {"helpful": True, "accurate": False}
    assert found.from_comment == ("accurate",)


def test_an_explicit_aspect_stays_and_the_conflict_is_told() -> None:
    found = merge(5, {"accurate": True}, GRUMPY)
    assert found.aspects == {"accurate": True}
    assert found.conflict == ("rating", "accurate")
    assert found.from_comment == ()


def test_three_stars_conflict_with_nothing() -> None:
    assert merge(3, {}, GRUMPY).conflict == ()
    assert merge(5, {}, SILENT).conflict == ()


def test_an_abstention_stays_one() -> None:
    assert merge(None, {}, SILENT).label is None
    assert merge(None, {}, None) == merge(None, {"helpful": None}, None)
    assert merge(None, {}, None).label is None
