"""How these tests have a request judged."""

import json
from datetime import UTC, datetime
from typing import Any

from services.gateway.domain.otlp.content import Keep
from services.gateway.domain.otlp.decoding import Encoding, logs_of, spans_of
from services.gateway.domain.otlp.judging import Judge, Judged

NOON = datetime(2027, 1, 15, 12, tzinfo=UTC)


def as_it_is(text: str) -> str:
    return text


def judged(
    body: bytes, encoding: Encoding = Encoding.JSON, *, logs: bool = False, keep: Keep | None = None
) -> Judged:
    judge = Judge("acme", NOON, keep)
    if logs:
        return judge.logs(logs_of(body, encoding))
    return judge.spans(spans_of(body, encoding))


def in_protobuf(request: dict[str, Any]) -> bytes:
    """The same request as its protobuf."""
    read = logs_of if "resourceLogs" in request else spans_of
    return read(json.dumps(request).encode(), Encoding.JSON).SerializeToString()


def shown(found: Judged) -> dict[str, Any]:
    """As golden files have it."""
    return {
        "operations": [json.loads(one.value) for one in found.operations],
        "feedback": [json.loads(one.value) for one in found.feedback],
        "rejected": found.rejected,
        "message": found.message,
    }
