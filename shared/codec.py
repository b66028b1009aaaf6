"""From a record's bytes to an event, or to a reason why not: the same verdict in every service.

The fast path is one UTF-8 check, a few byte searches and pydantic's JSON validator. Whatever looks
unusual (a NUL, an infinity, many brackets, an explicit null, a structured CloudEvent) takes the
slow path, which parses, mends what the contract allows to mend, and validates again.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Protocol, TypeVar

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from shared.errors import InvalidRecordError, Reason
from shared.events.base import MAX_DEPTH, MAX_EVENT_BYTES, MAX_METADATA_BYTES, Event

E = TypeVar("E", bound=Event)
Headers = Sequence[tuple[str, bytes | None]]

MAX_AHEAD = timedelta(hours=24)
DEFAULT_RETENTION = timedelta(days=90)
LOG_APPEND_TIME = 1
REPLACEMENT = "\ufffd"  # what the consumer's guard puts where a header key is no UTF-8
STRUCTURED = b"application/cloudevents+json"


class Record(Protocol):
    """Bytes with coordinates: what of a consumed record the codec reads."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def timestamp_type(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Headers: ...


def decode(model: type[E], record: Record, now: datetime) -> E:
    """Read one record; `now` judges `occurred_at` unless the broker stamped the record itself.

    Raises only `InvalidRecordError`.
    """
    if record.value is None:
        raise InvalidRecordError(Reason.NULL_VALUE, "the record has no value")
    event = parse(model, record.value, record.headers)
    # A broker's own stamp makes the verdict the same in every service, at every replay.
    if record.timestamp_type == LOG_APPEND_TIME and record.timestamp > 0:
        now = datetime.fromtimestamp(record.timestamp / 1000, UTC)
    check_time(event, now)
    return event


def parse(model: type[E], value: bytes, headers: Headers = ()) -> E:
    """Read an event's bytes, whatever its time; raises only `InvalidRecordError`."""
    if len(value) > MAX_EVENT_BYTES:
        raise InvalidRecordError(
            Reason.TOO_LARGE, f"{len(value)} bytes; an event has at most {MAX_EVENT_BYTES}"
        )
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        raise InvalidRecordError(Reason.BAD_ENCODING, "the value is not UTF-8") from error
    structured = _check_headers(headers) if headers else False
    if structured or _is_unusual(text):
        return _parse_slowly(model, text, headers, structured=structured)
    try:
        event: E = model.__pydantic_validator__.validate_json(text)
    except (ValidationError, ValueError):
        # Perhaps only an explicit null where a default stands: look again, with more patience.
        return _parse_slowly(model, text, headers, structured=False)
    return _checked(event, headers)


def check_time(event: Event, now: datetime, retention: timedelta = DEFAULT_RETENTION) -> None:
    """Refuse what is further ahead than clocks drift, or older than anything is kept."""
    if not now - retention <= event.occurred_at <= now + MAX_AHEAD:
        raise InvalidRecordError(
            Reason.BAD_TIME,
            f"occurred_at must lie within the last {retention.days} days and not more than "
            f"{MAX_AHEAD.total_seconds() / 3600:.0f} h ahead",
            "/occurred_at",
        )


def fingerprint(event: Event) -> bytes:
    """16 bytes that differ when anything the event says differs, however it was formatted."""
    metadata = getattr(event, "metadata", None)
    if metadata and len(metadata) > 1:
        event = event.model_copy(update={"metadata": dict(sorted(metadata.items()))})
    # The serializer itself: model_dump_json costs as much again in looking at its arguments.
    body = event.__pydantic_serializer__.to_json(event, exclude_defaults=True)
    return blake2b(body, digest_size=16).digest()


def _is_unusual(text: str) -> bool:
    return (
        "\\u0000" in text
        or "NaN" in text
        or "Infinity" in text
        or text.count("{") + text.count("[") > MAX_DEPTH
    )


def _check_headers(headers: Headers) -> bool:
    """Refuse unreadable headers; tell whether the value is a structured CloudEvent."""
    structured = False
    for name, value in headers:
        if value is None or REPLACEMENT in name:
            raise InvalidRecordError(Reason.BAD_HEADER, f"header {name[:64]!r} is not readable")
        try:
            value.decode()
        except UnicodeDecodeError as error:
            raise InvalidRecordError(
                Reason.BAD_HEADER, f"header {name[:64]!r} is not UTF-8"
            ) from error
        if name == "content-type" and value.startswith(STRUCTURED):
            structured = True
    return structured


def _parse_slowly(model: type[E], text: str, headers: Headers, *, structured: bool) -> E:
    body = _object(text)
    ce_id = body.get("id") if structured else None
    if structured:
        body = _data_of(body)
    # Explicit null means absent; NUL can be stored nowhere and carries nothing.
    body = {key: _without_nul(item) for key, item in body.items() if item is not None}
    try:
        event: E = model.__pydantic_validator__.validate_json(to_json(body))
    except ValidationError as error:
        raise _translate(error) from error
    except ValueError as error:
        raise InvalidRecordError(Reason.BAD_ENCODING, "holds a lone surrogate") from error
    if ce_id is not None and ce_id != str(event.event_id):
        raise InvalidRecordError(Reason.BAD_HEADER, "the CloudEvent's id is not the event_id")
    return _checked(event, headers)


def _data_of(body: dict[str, Any]) -> dict[str, Any]:
    data = body.get("data")
    if not isinstance(data, dict):
        raise InvalidRecordError(
            Reason.MISSING_FIELD, "a structured CloudEvent needs an object as data", "/data"
        )
    return data


def _object(text: str) -> dict[str, Any]:
    _check_depth(text)
    try:
        body = from_json(text, allow_inf_nan=False)
    except ValueError as error:
        if _holds_lone_surrogate(text):
            raise InvalidRecordError(Reason.BAD_ENCODING, "holds a lone surrogate") from error
        raise InvalidRecordError(Reason.INVALID_JSON, str(error)) from error
    if not isinstance(body, dict):
        raise InvalidRecordError(Reason.INVALID_FIELD, "the value must be a JSON object")
    return body


def _holds_lone_surrogate(text: str) -> bool:
    """Whether that is all that is wrong: the standard library reads such escapes, UTF-8 cannot."""
    try:
        json.dumps(json.loads(text), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except ValueError:
        return False
    return False


def _check_depth(text: str) -> None:
    depth, in_string, escaped = 0, False, False
    for character in text:
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif character in "{[":
            depth += 1
            if depth > MAX_DEPTH:
                raise InvalidRecordError(Reason.TOO_DEEP, f"nested deeper than {MAX_DEPTH}")
        elif character in "}]":
            depth -= 1


def _without_nul(item: Any) -> Any:
    if isinstance(item, str):
        return item.replace("\0", "")
    if isinstance(item, dict):
        return {_without_nul(key): _without_nul(value) for key, value in item.items()}
    if isinstance(item, list):
        return [_without_nul(value) for value in item]
    return item


def _checked(event: E, headers: Headers) -> E:
    metadata = getattr(event, "metadata", None)
    if metadata is not None and len(to_json(metadata)) > MAX_METADATA_BYTES:
        raise InvalidRecordError(
            Reason.INVALID_FIELD, f"is larger than {MAX_METADATA_BYTES} bytes", "/metadata"
        )
    for name, value in headers:
        if name == "ce_id" and value is not None and value.decode() != str(event.event_id):
            raise InvalidRecordError(Reason.BAD_HEADER, "ce_id is not the event_id", "/event_id")
    return event


def _translate(error: ValidationError) -> InvalidRecordError:
    """The most telling of pydantic's errors, in our words, without the value itself."""
    errors = error.errors(include_url=False, include_context=False, include_input=False)
    by_reason = {_reason(one["type"], one["loc"]): one for one in reversed(errors)}
    ranked = (
        Reason.UNSUPPORTED_VERSION,
        Reason.MISSING_FIELD,
        Reason.BAD_TIME,
        Reason.INVALID_FIELD,
    )
    reason = next(reason for reason in ranked if reason in by_reason)
    first = by_reason[reason]
    names = [str(part) for part in first["loc"] if not str(part).startswith("function-")]
    pointer = "/" + "/".join(names) if names else ""
    message = first["msg"].removeprefix("Value error, ")
    return InvalidRecordError(reason, f"{'.'.join(names)}: {message}".removeprefix(": "), pointer)


def _reason(kind: str, loc: tuple[int | str, ...]) -> Reason:
    if loc[:1] == ("schema_version",):
        return Reason.UNSUPPORTED_VERSION
    if kind == "missing":
        return Reason.MISSING_FIELD
    if loc[:1] == ("occurred_at",):
        return Reason.BAD_TIME
    return Reason.INVALID_FIELD
