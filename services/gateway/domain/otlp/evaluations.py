"""Judgements of operations: `gen_ai.evaluation.*`, and OpenInference's lists of them."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from services.gateway.domain.otlp.attributes import Attributes
from services.gateway.domain.otlp.ids import at, event_id
from services.gateway.domain.otlp.kinds import MOST_LABEL
from services.gateway.domain.otlp.names import EVALUATION, FEEDBACK_NAMESPACES
from services.gateway.domain.otlp.refused import RefusedError
from shared.events.base import MAX_COMMENT_BYTES

ASPECTS = {
    "helpful": "helpful",
    "helpfulness": "helpful",
    "accurate": "accurate",
    "accuracy": "accurate",
    "relevant": "relevant",
    "relevance": "relevant",
    "fast": "fast",
}
RATING = "rating"
LOWEST, HIGHEST = 1, 5
HALF = 0.5
MOST_SCORE = 1e300
GOOD = frozenset({"pass", "passed", "true", "yes", "good", *ASPECTS})
BAD = frozenset({"fail", "failed", "false", "no", "bad", *(f"not_{one}" for one in ASPECTS)})
SOURCES = {"human": "reviewer", "llm": "model", "code": "code"}
KNOWN_SOURCES = ("user", "reviewer", "code", "model")
MOST_COMMENT = MAX_COMMENT_BYTES // 4  # characters, however many bytes they need
ITEM = re.compile(r"(\d{1,4})\.(.+)")


class Subject(NamedTuple):
    """What is judged, and when, in nanoseconds."""

    operation_id: str
    at: int


class Judgement(NamedTuple):
    """One evaluation as it was said."""

    name: str
    score: float | None
    label: str | None
    explanation: str | None
    source: str
    author: str


def evaluation(said: Attributes) -> Judgement:
    """The judgement in a `gen_ai.evaluation.result`; raises `RefusedError`."""
    model = said.text(("gen_ai.response.model", "gen_ai.request.model"), MOST_LABEL)
    return _judgement(said, f"{EVALUATION}.", ("score.value", "score.label"), model)


def listed(said: Attributes) -> Iterator[Judgement]:
    """Those in OpenInference's lists on a span; raises `RefusedError`."""
    for start, inner in FEEDBACK_NAMESPACES:
        items: dict[str, dict[str, AnyValue]] = defaultdict(dict)
        for name, value in said.own.items():
            match = ITEM.fullmatch(name[len(start) :]) if name.startswith(start) else None
            if match:
                items[match[1]][match[2]] = value
        for item in items.values():
            yield _judgement(Attributes(item), inner, ("score", "label"), None)


def feedback(judged: Judgement, subject: Subject) -> dict[str, Any]:
    """The event of a judgement, as it would come over HTTP."""
    found: dict[str, Any] = {
        "event_id": event_id(subject.operation_id, subject.at, *judged),
        "occurred_at": at(subject.at),
        "operation_id": subject.operation_id,
        "source": judged.source,
        "user_id": judged.author,
        "comment": judged.explanation,
    }
    found |= _vote(judged) or _told(judged)
    return {name: value for name, value in found.items() if value is not None}


def _judgement(
    said: Attributes, start: str, value: tuple[str, str], model: str | None
) -> Judgement:
    name = said.text((f"{start}name",), MOST_LABEL)
    if name is None:
        raise RefusedError(f"{start}name is missing")
    explanation = said.text((f"{start}explanation",), MOST_COMMENT)
    source = said.text(("assay.source",), MOST_LABEL)
    if source not in KNOWN_SOURCES:
        kind = said.text((f"{start}annotator_kind",), MOST_LABEL) or ""
        source = SOURCES.get(kind.lower(), "model" if model or explanation else "code")
    return Judgement(
        name,
        _score(said, f"{start}{value[0]}"),
        said.text((f"{start}{value[1]}",), MOST_LABEL),
        explanation,
        source,
        # One vote per author and operation: evaluations of different names stand side by side.
        said.text(("assay.user_id",), MOST_LABEL) or model or f"evaluation:{name}"[:MOST_LABEL],
    )


def _score(said: Attributes, name: str) -> float | None:
    value = said.any((name,))
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float) and value < 0:
        negative = -value  # scores may be below 0; NaN is neither
        return -negative if negative <= MOST_SCORE else None
    return said.number((name,), MOST_SCORE)


def _vote(judged: Judgement) -> dict[str, Any] | None:
    """A rating or an aspect, where the name says that it is one and a value was given."""
    name, label = judged.name.strip().lower(), (judged.label or "").strip().lower()
    if name == RATING:
        value = judged.score
        if value is None and label in {"1", "2", "3", "4", "5"}:
            value = float(label)
        is_one = value is not None and LOWEST <= value <= HIGHEST
        return {RATING: round(value)} if value is not None and is_one else None
    if name not in ASPECTS:
        return None
    if judged.score is not None:
        return {ASPECTS[name]: judged.score >= HALF}
    label = label.replace(" ", "_")
    return {ASPECTS[name]: label in GOOD} if label in GOOD | BAD else None


def _told(judged: Judgement) -> dict[str, Any]:
    """Any other evaluation: its value in metadata, and in words, since feedback says something."""
    value = judged.score if judged.score is not None else judged.label
    if value is None and judged.explanation is None:
        raise RefusedError("an evaluation needs a score, a label or an explanation")
    if value is None:
        return {"metadata": {"evaluation": judged.name}}
    also = {} if judged.explanation else {"comment": f"{judged.name}: {value}"}
    metadata = {judged.name: value}
    if judged.score is not None and judged.label is not None:
        metadata[f"{judged.name}.label"[:MOST_LABEL]] = judged.label
    return {**also, "metadata": metadata}
