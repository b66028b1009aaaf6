"""What one person said in all: stars and thumbs first, the comment where they are silent."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.feedback.domain.sentiment.labels import ASPECTS, Label, Sentiment

STARS = "rating"
THUMBS = "aspects"
_NEUTRAL_RATING = 3
_JUDGING = ("accurate", "helpful", "relevant")
_POLES = {Label.POSITIVE, Label.NEGATIVE}


@dataclass(frozen=True, slots=True)
class Merged:
    """The judgement that is stored with the row. `conflict` names what the comment contradicts."""

    label: Label | None
    score: float | None
    confidence: float | None
    method: str  # rating, aspects, or the scorer's; "" if nothing was said
    version: str
    aspects: Mapping[str, bool]
    from_comment: tuple[str, ...]  # aspects that only the comment told
    conflict: tuple[str, ...]  # "rating", "aspects" (all thumbs together), or names of aspects


def merge(rating: int | None, given: Mapping[str, bool | None], read: Sentiment | None) -> Merged:
    """`rating` 1 to 5; `given` are explicit aspects (None = silent); `read` is the comment."""
    explicit = {name: said for name in ASPECTS if (said := given.get(name)) is not None}
    read_aspects = {} if read is None else read.aspects
    told = {name: read_aspects[name] for name in ASPECTS if name in read_aspects}
    label, score, confidence, method, version = _judged(rating, explicit, read)
    return Merged(
        label,
        score,
        confidence,
        method,
        version,
        told | explicit,
        tuple(name for name in told if name not in explicit),
        tuple(_conflicts(rating, explicit, read, told)),
    )


_Judged = tuple[Label | None, float | None, float | None, str, str]


def _judged(rating: int | None, explicit: Mapping[str, bool], read: Sentiment | None) -> _Judged:
    if rating is not None:
        return of_rating(rating), (rating - _NEUTRAL_RATING) / 2, 1.0, STARS, ""
    thumbs = _of_thumbs(explicit)
    if thumbs in _POLES or read is None or (read.label is None and thumbs is not None):
        return thumbs, _score(explicit), None if thumbs is None else 1.0, THUMBS * bool(thumbs), ""
    return read.label, read.score, read.confidence, read.method, read.version


def _of_thumbs(explicit: Mapping[str, bool]) -> Label | None:
    """Thumbs that agree are a judgement; `fast` alone is not: a wrong answer may be quick."""
    said = {explicit[name] for name in _JUDGING if name in explicit}
    if not said:
        return None
    return Label.NEUTRAL if len(said) > 1 else (Label.NEGATIVE, Label.POSITIVE)[said.pop()]


def _score(explicit: Mapping[str, bool]) -> float | None:
    said = [1 if explicit[name] else -1 for name in _JUDGING if name in explicit]
    return sum(said) / len(said) if said else None


def of_rating(rating: int) -> Label:
    """1 and 2 stars are negative, 3 neutral, 4 and 5 positive."""
    if rating == _NEUTRAL_RATING:
        return Label.NEUTRAL
    return Label.POSITIVE if rating > _NEUTRAL_RATING else Label.NEGATIVE


def _conflicts(
    rating: int | None,
    explicit: Mapping[str, bool],
    read: Sentiment | None,
    told: Mapping[str, bool],
) -> list[str]:
    """Opposite poles only: 3 stars with a friendly comment is no conflict."""
    found = [name for name in explicit if told.get(name, explicit[name]) != explicit[name]]
    if read is None:
        return found
    judged = {THUMBS: _of_thumbs(explicit)} if rating is None else {STARS: of_rating(rating)}
    return [name for name, label in judged.items() if {label, read.label} == _POLES] + found
