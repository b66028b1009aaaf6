"""Names and places by Microsoft Presidio, after the patterns: the extra `pii`."""

import re
from collections.abc import Iterator, Sequence
from typing import Protocol

from shared.training.errors import MissingExtraError
from shared.training.redaction import Found, redact

ENTITIES = ("PERSON", "LOCATION")
"""What the patterns cannot know. Presidio's own default would hide each date as well."""
LEAST_SCORE = 0.5
_PLACEHOLDER = re.compile(r"\[[A-Z_]{2,40}\]")


class Span(Protocol):
    """A place in a text that Presidio found: its `RecognizerResult`."""

    start: int
    end: int
    entity_type: str


class Analyzer(Protocol):
    """What is used of Presidio's `AnalyzerEngine`."""

    def analyze(
        self, text: str, language: str, *, entities: list[str], score_threshold: float
    ) -> Sequence[Span]: ...


class PresidioRedactor:
    """A `Redactor`: the patterns first, then what Presidio finds in what they left.

    A model guesses: it may find other names when it reads its own placeholders a second time.
    """

    reads_every_row = True

    def __init__(
        self,
        analyzer: Analyzer,
        language: str = "en",
        entities: Sequence[str] = ENTITIES,
        least_score: float = LEAST_SCORE,
    ) -> None:
        """`analyzer` must be ready: Presidio's default one downloads a model when it is made."""
        self._analyzer, self._language = analyzer, language
        self._entities, self._least_score = list(entities), least_score

    def redact(self, text: str) -> tuple[str, Found]:
        text, found = redact(text)
        spans = self._analyzer.analyze(
            text, self._language, entities=self._entities, score_threshold=self._least_score
        )
        pieces: list[str] = []
        last = 0
        for span in _apart(text, spans):
            pieces += (text[last : span.start], f"[{span.entity_type}]")
            found[span.entity_type] += 1
            last = span.end
        return "".join((*pieces, text[last:])), found


def load(language: str = "en") -> PresidioRedactor:
    """Presidio with its default engine; it needs a spaCy model on this machine.

    Raises `MissingExtraError` without the package, and if no model is here or can be had.
    """
    try:
        from presidio_analyzer import AnalyzerEngine  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError("Presidio is not installed: pip install 'assay[pii]'") from error
    try:
        return PresidioRedactor(AnalyzerEngine(supported_languages=[language]), language)
    except (Exception, SystemExit) as error:  # offline, its download of a model ends the process
        raise MissingExtraError(
            "Presidio has no language model: python -m spacy download en_core_web_lg"
        ) from error


def _apart(text: str, spans: Sequence[Span]) -> Iterator[Span]:
    """From left to right, the longest of those that overlap, and no part of a placeholder."""
    hidden = [match.span() for match in _PLACEHOLDER.finditer(text)]
    last = 0
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        is_new = not any(start < span.end and span.start < end for start, end in hidden)
        if span.start >= last and is_new:
            yield span
            last = span.end
