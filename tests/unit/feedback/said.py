"""Feedback for tests: people, judges and programs who say something at noon or later."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from services.feedback.domain.formulas import Kind
from services.feedback.domain.quality import Vote
from services.feedback.domain.sentiment.labels import Label, Sentiment
from services.feedback.domain.sentiment.merge import merge
from services.feedback.domain.votes import Feedback, Source
from services.feedback.domain.weighting import Evidence

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ANGRY = Sentiment(Label.NEGATIVE, -0.8, 0.9, "test", "1", "en")
GLAD = Sentiment(Label.POSITIVE, 0.8, 0.9, "test", "1", "en")
UNSURE = Sentiment(None, 0.1, 0.4, "test", "1", "en")


def feedback(
    number: int,
    rating: int | None = None,
    *,
    minute: float = 0,
    source: str = "user",
    comment: Sentiment | None = None,
    thumbs: dict[str, bool | None] | None = None,
    **more: Any,
) -> Feedback:
    """`number` makes the event's id."""
    said = merge(rating, thumbs or {}, comment)
    at = NOON + timedelta(minutes=minute)
    return Feedback(UUID(int=number), at, Source(source), said, **more)


SHARES = st.floats(0, 1)
MAYBE = st.none() | SHARES
JUDGING = st.sampled_from([Kind.EXPERT, Kind.USER, Kind.MODEL, Kind.IMPLICIT])
AGES = st.timedeltas(timedelta(days=-3), timedelta(days=2_000))
VOTES = st.builds(
    Vote,
    JUDGING,
    SHARES,
    SHARES,
    AGES.map(lambda age: NOON - age),
    st.just("rating"),
    st.booleans(),
)
EVIDENCE = st.builds(Evidence, st.lists(VOTES, max_size=6).map(tuple), MAYBE, MAYBE, MAYBE)


@st.composite
def feedbacks(draw: st.DrawFn) -> list[Feedback]:
    """Of one operation, each event once: few voters and few minutes, so that they collide."""
    numbers = range(draw(st.integers(0, 8)))
    return [
        feedback(
            number,
            draw(st.none() | st.integers(1, 5)),
            minute=draw(st.integers(0, 2)),
            source=draw(st.sampled_from(["user", "reviewer", "code", "model"])),
            comment=draw(st.sampled_from([None, ANGRY, GLAD, UNSURE])),
            user=draw(st.sampled_from([None, "ann", "ben"])),
            author=draw(st.sampled_from([None, "judge", "judged"])),
            correction=draw(st.sampled_from([None, "", "right", "other"])),
            consent=draw(st.sampled_from([None, True, False])),
        )
        for number in numbers
    ]
