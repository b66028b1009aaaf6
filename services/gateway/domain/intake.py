"""From an HTTP body to the bytes that are published: the same codec judges them as everywhere."""

import json
import math
from collections.abc import Callable, Iterator
from datetime import datetime
from difflib import get_close_matches
from typing import Any, NamedTuple
from uuid import UUID

from pydantic_core import from_json, to_json

from services.gateway.domain.depth import refuse_too_many_parts
from services.gateway.domain.names import MOST_COMPARED, MOST_NAMED
from services.gateway.domain.problems import Problem
from shared.codec import check_time, microseconds, parse
from shared.errors import InvalidRecordError, Reason
from shared.events.base import Event
from shared.mending import all_wrong

MAX_EVENTS = 500


class Outgoing(NamedTuple):
    """An accepted event as it will be published."""

    event_id: str
    key: bytes
    value: bytes
    occurred_at: datetime


def read_body(body: bytes) -> list[Any] | dict[str, Any]:
    """The JSON of a body: one event or a list of them."""
    refuse_too_many_parts(body)
    try:
        content = _parsed(body)
    except RecursionError as error:
        raise Problem(
            "invalid",
            "The body is nested too deeply.",
            errors=[{"pointer": "", "code": Reason.TOO_DEEP.value, "message": "nested too deeply"}],
        ) from error
    except ValueError as error:
        raise Problem("bad-request", f"The body is not JSON: {error}") from error
    if isinstance(content, list):
        if not 1 <= len(content) <= MAX_EVENTS:
            raise Problem(
                "invalid", f"A batch holds 1 to {MAX_EVENTS} events; this one holds {len(content)}."
            )
        return content
    if isinstance(content, dict):
        return content
    raise Problem("invalid", "The body must be an event (an object) or a list of events.")


def prepare(
    model: type[Event],
    content: Any,
    tenant_id: str,
    now: datetime,
    new_id: Callable[[], UUID],
) -> Outgoing:
    """Make one event ready to publish; raises `InvalidRecordError` with a pointer."""
    if not isinstance(content, dict):
        raise InvalidRecordError(Reason.INVALID_FIELD, "an event must be an object")
    _refuse_unsendable(content, "")
    event = _identified(content, now, new_id) | {"tenant_id": tenant_id}
    value = to_json(event)
    parsed = parse(model, value)
    check_time(parsed, microseconds(now))
    key = str(getattr(parsed, "operation_id", parsed.event_id))
    return Outgoing(str(parsed.event_id), key.encode(), value, parsed.occurred_at)


def explained(
    error: InvalidRecordError, content: Any, model: type[Event]
) -> Iterator[tuple[InvalidRecordError, str]]:
    """All that was found wrong with an event, each with its message.

    Names that no field has are taken for mistyped only where one is missing: else they may stay.
    """
    names = content if isinstance(content, dict) else ()
    unknown = [one[:MOST_COMPARED] for one in names if one not in model.model_fields]
    for one in all_wrong(error):
        close: list[str] = []
        if one.reason is Reason.MISSING_FIELD:
            close = get_close_matches(one.pointer[1:], unknown[:MOST_NAMED], 1)
        yield one, f"{one.detail}; did you mean it by {close[0]}?" if close else one.detail


def _parsed(body: bytes) -> Any:
    try:
        return from_json(body)
    except ValueError:
        # The standard library also reads lone surrogates, whose field can then be named.
        return json.loads(body)


def _identified(
    content: dict[str, Any], now: datetime, new_id: Callable[[], UUID]
) -> dict[str, Any]:
    event_id, occurred_at = content.get("event_id"), content.get("occurred_at")
    if event_id is None and occurred_at is None:
        return content | {"event_id": str(new_id()), "occurred_at": now.isoformat()}
    for name, value in (("event_id", event_id), ("occurred_at", occurred_at)):
        if value is None:
            raise InvalidRecordError(
                Reason.MISSING_FIELD,
                f"{name}: give event_id and occurred_at together, or neither: a retry must repeat "
                "both",
                f"/{name}",
            )
    return content


def _refuse_unsendable(value: Any, pointer: str) -> None:
    """NaN, infinities and lone surrogates: JSON or UTF-8 cannot carry them."""
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidRecordError(
            Reason.INVALID_FIELD, f"{pointer[1:]}: must be a finite number", pointer
        )
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise InvalidRecordError(
                Reason.BAD_ENCODING, f"{pointer[1:]}: holds a lone surrogate", pointer
            ) from error
    if isinstance(value, dict):
        for name, item in value.items():
            _refuse_unsendable(name, pointer)
            _refuse_unsendable(item, f"{pointer}/{name}")
    if isinstance(value, list):
        for place, item in enumerate(value):
            _refuse_unsendable(item, f"{pointer}/{place}")
