"""What a comment says: a label with its certainty, and aspects. And who may say it: a `Scorer`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

ASPECTS = ("accurate", "helpful", "relevant", "fast")
LANGUAGES = ("de", "en", "es", "fr", "pt")


class Label(StrEnum):
    """Polarity of a comment or of all that one person said."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


@dataclass(frozen=True, slots=True)
class Sentiment:
    """One judgement. `label` None is an abstention; `method` says who judged, or why nobody did."""

    label: Label | None
    score: float  # -1 (negative) to 1 (positive)
    confidence: float  # 0 to 1: how often such an answer is right
    method: str
    version: str
    lang: str | None = None
    aspects: Mapping[str, bool] = field(default_factory=dict)  # absent = not said


class Scorer(Protocol):
    """Reads one comment. Must not fail on any text; pure, since a comment may be read twice."""

    def __call__(self, comment: str) -> Sentiment: ...
