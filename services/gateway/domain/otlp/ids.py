"""Identities that a resent batch repeats, and the times of spans and log records."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from services.gateway.domain.otlp.refused import RefusedError

TRACE_BYTES, SPAN_BYTES = 16, 8
NAMESPACE = UUID("6f0a3c0e-5d1b-5f6e-9a8e-0d3c8f6b7a51")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NANO_PER_MICRO = 1_000
NANO_PER_MILLI = 1_000_000


def operation_id(trace_id: bytes, span_id: bytes) -> str:
    """`<trace id>-<span id>`; raises `RefusedError` where one is missing or all zeros."""
    for name, given, size in (("trace", trace_id, TRACE_BYTES), ("span", span_id, SPAN_BYTES)):
        if len(given) != size or not any(given):
            raise RefusedError(f"the {name} id must be {size} bytes that are not all zero")
    return f"{trace_id.hex()}-{span_id.hex()}"


def event_id(*parts: object) -> str:
    """The same for the same parts, for ever."""
    return str(uuid5(NAMESPACE, "|".join(map(str, parts))))


def at(nanoseconds: int) -> str:
    """A time as events have it, cut to microseconds; raises `RefusedError` where there is none."""
    if nanoseconds == 0:
        raise RefusedError("its time is missing")
    return (EPOCH + timedelta(microseconds=nanoseconds // NANO_PER_MICRO)).isoformat()
