"""Judgements of operations: `gen_ai.evaluation.*`, and OpenInference's lists of them."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from services.gateway.domain.otlp.attributes import Attributes, events, values
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
GENAI = f"{EVALUATION}."
SOURCE = ("assay.source",)
JUDGE = ("gen_ai.response.model", "gen_ai.request.model")
ITEM = re.compile(r"(\d{1,4})\.(.+)")


class Evaluation(NamedTuple):
    """Where a judgement stands: attributes, the start of their names, and when it was made."""

    said: Attributes
    start: str
    at: int
    """Nanoseconds since 1970."""


class Judgement(NamedTuple):
    """One evaluation as it was said."""

    name: str
    score: float | None
    label: str | None
    explanation: str | None
    source: str
    author: str


def of_log(record: LogRecord, said: Attributes) -> Evaluation | None:
    """The evaluation that a log record is, if it is one."""
    name = record.event_name or said.any(("event.name",))
    if not isinstance(name, str) or not name.startswith(EVALUATION):
        return None
    at = record.time_unix_nano or record.observed_time_unix_nano
    return Evaluation(said, GENAI, at)


def on_span(span: Span, said: Attributes) -> Iterator[Evaluation]:
    """Evaluations in a span's events, in its attributes, and in OpenInference's lists on it."""
    end = span.end_time_unix_nano
    for event in events(span):
        if event.name.startswith(EVALUATION):
            inner = Attributes(values(event.attributes))
            yield Evaluation(inner, GENAI, event.time_unix_nano or end)
    if f"{GENAI}name" in said.own:
        # Only these: the model and the user of the span are the judged one's.
        kept = (name for name in said.own if name.startswith(GENAI) or name == SOURCE[0])
        yield Evaluation(Attributes({name: said.own[name] for name in kept}), GENAI, end)
    for start, inner_start in FEEDBACK_NAMESPACES:
        items: dict[str, dict[str, AnyValue]] = defaultdict(dict)
        for name, value in said.own.items():
            match = ITEM.fullmatch(name[len(start) :]) if name.startswith(start) else None
            if match:
                items[match[1]][match[2]] = value
        for item in items.values():
            yield Evaluation(Attributes(item), inner_start, end)


def feedback(one: Evaluation, operation_id: str) -> dict[str, Any]:
    """The event of an evaluation, as it would come over HTTP; raises `RefusedError`."""
    judged = _judgement(one)
    found: dict[str, Any] = {
        "event_id": event_id(operation_id, one.at, *judged),
        "occurred_at": at(one.at),
        "operation_id": operation_id,
        "source": judged.source,
        "user_id": judged.author,
        "comment": judged.explanation,
    }
    found |= _vote(judged) or _told(judged)
    return {name: value for name, value in found.items() if value is not None}


def _judgement(one: Evaluation) -> Judgement:
    said, start = one.said, one.start
    score, label = ("score.value", "score.label") if start == GENAI else ("score", "label")
    name = said.text((f"{start}name",), MOST_LABEL)
    if name is None:
        raise RefusedError(f"{start}name is missing")
    model = said.text(JUDGE, MOST_LABEL) if start == GENAI else None
    explanation = said.text((f"{start}explanation",), MOST_COMMENT)
    source = said.text(SOURCE, MOST_LABEL)
    if source not in KNOWN_SOURCES:
        kind = said.text((f"{start}annotator_kind",), MOST_LABEL) or ""
        source = SOURCES.get(kind.lower(), "model" if model or explanation else "code")
    return Judgement(
        name,
        _score(said, f"{start}{score}"),
        said.text((f"{start}{label}",), MOST_LABEL),
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
