"""A GenAI span as an operation."""

from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from pydantic_core import from_json

from services.gateway.domain.otlp import names
from services.gateway.domain.otlp.attributes import Attributes, Values, events, values
from services.gateway.domain.otlp.content import Keep, texts
from services.gateway.domain.otlp.ids import NANO_PER_MILLI, at, event_id, operation_id
from services.gateway.domain.otlp.kinds import MOST_LABEL, is_inference
from services.gateway.domain.otlp.parameters import invoked_model, parameters
from services.gateway.domain.otlp.refused import RefusedError
from shared.events.base import MAX_COST_USD, MAX_RESPONSE_TIME_MS, MAX_TOKENS

Fields = dict[str, Any]
MOST_MESSAGE = 2_048
MS_PER_S = 1_000
OTHER_ERROR = "_OTHER"  # OpenTelemetry's word for an error of no known type
UNKNOWN = "unknown"
NO_SERVICE = "unknown_service"  # what SDKs call a service that nobody named


def operation(span: Span, said: Attributes, kind: str, keep: Keep | None) -> Fields:
    """The event of a span of this type, as it would come over HTTP; raises `RefusedError`."""
    found = _identity(span)
    found |= {"operation_type": kind, "model_id": _model(said, kind, span.name)}
    found |= _labels(said) | _outcome(span)
    found |= {
        "confidence": said.number(("assay.confidence",), 1),
        "time_to_first_token_ms": _first_token_ms(span, said),
        "metadata": parameters(said),
    }
    if is_inference(kind):
        found |= _tokens(said) | {"cost_usd": said.number(names.COST, MAX_COST_USD)}
    if keep is not None:
        found |= texts(span, said, keep)
    return {name: value for name, value in found.items() if value is not None}


def _identity(span: Span) -> Fields:
    """Ids and times: all a repeat needs to be known as one."""
    own_id = operation_id(span.trace_id, span.span_id)
    start, end = span.start_time_unix_nano, span.end_time_unix_nano
    if not (start and end):
        raise RefusedError("its start or end is missing")
    if end < start:
        raise RefusedError("it ends before it starts")
    parent = any(span.parent_span_id) and len(span.parent_span_id) == len(span.span_id)
    return {
        "event_id": event_id(own_id),
        "occurred_at": at(end),
        "operation_id": own_id,
        "trace_id": span.trace_id.hex(),
        "parent_operation_id": f"{span.trace_id.hex()}-{span.parent_span_id.hex()}"
        if parent
        else None,
        "response_time_ms": (end - start) / NANO_PER_MILLI,
    }


def _model(said: Attributes, kind: str, span_name: str) -> str:
    """The model; without one the agent, workflow or tool; what calls a model has some."""
    named = said.text(names.MODEL, MOST_LABEL) or invoked_model(said)
    named = named or said.text(names.ACTOR, MOST_LABEL)
    if named is None and not is_inference(kind):
        named = span_name.strip()[:MOST_LABEL]
    return named or UNKNOWN


def _labels(said: Attributes) -> Fields:
    found: Fields = {}
    for field, others in names.LABELS.items():
        text = said.text((names.OWN + field, *others), MOST_LABEL)
        if text is not None and not text.startswith(NO_SERVICE):
            found[field] = text
    return found


def _outcome(span: Span) -> Fields:
    """Success unless the status or `error.type` says otherwise; an exception may be handled."""
    said = Attributes(values(span.attributes))
    kind = said.text(("error.type",), MOST_MESSAGE)
    if span.status.code != Status.STATUS_CODE_ERROR and kind is None:
        return {"success": True}
    raised = Attributes(_last_exception(span))
    kind = kind or raised.text(("exception.type",), MOST_MESSAGE) or OTHER_ERROR
    message = span.status.message or raised.any(("exception.message",))
    return {
        "success": False,
        "error_type": kind[:MOST_LABEL],
        "error_message": message[:MOST_MESSAGE] if isinstance(message, str) and message else None,
    }


def _last_exception(span: Span) -> Values:
    found = [event for event in events(span) if event.name == "exception"]
    return values(found[-1].attributes) if found else {}


def _tokens(said: Attributes) -> Fields:
    found = {
        field: said.count((names.OWN + field, *others), MAX_TOKENS)
        for field, others in names.TOKENS.items()
    }
    usage = said.any(names.MLFLOW_USAGE)
    if isinstance(usage, str):
        try:
            usage = from_json(usage)
        except ValueError:
            usage = None
    if isinstance(usage, dict):
        for field in ("input_tokens", "output_tokens"):
            used = usage.get(field)
            if found[field] is None and type(used) is int and 0 <= used <= MAX_TOKENS:
                found[field] = used
    return found


def _first_token_ms(span: Span, said: Attributes) -> float | None:
    seconds = said.number(names.FIRST_CHUNK_S, MAX_RESPONSE_TIME_MS / MS_PER_S)
    if seconds is not None:
        return seconds * MS_PER_S
    for event in events(span):
        after = event.time_unix_nano - span.start_time_unix_nano
        if event.name == names.FIRST_CHUNK_EVENT and after >= 0:
            return after / NANO_PER_MILLI
    return None
