"""From a record's bytes to an event, or to a reason why not: the same verdict in every service.

The fast path is one UTF-8 check, a few byte searches and pydantic's JSON validator. Whatever looks
unusual (a NUL, an infinity, many brackets, an explicit null, a structured CloudEvent) takes the
slow path of `shared/mending.py`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Protocol, TypeVar

from pydantic import ValidationError
from pydantic_core import to_json

from shared.errors import InvalidRecordError, Reason
from shared.events.base import MAX_DEPTH, MAX_EVENT_BYTES, MAX_METADATA_BYTES, Event
from shared.mending import mend
from shared.proof import Proofs

E = TypeVar("E", bound=Event)
Headers = Sequence[tuple[str, bytes | None]]

MAX_AHEAD = timedelta(hours=24)
RETENTION = timedelta(days=90)
MICROSECOND = timedelta(microseconds=1)
LOG_APPEND_TIME = 1
REPLACEMENT = "\ufffd"  # what the consumer's guard puts where a header key is no UTF-8
STRUCTURED = b"application/cloudevents+json"
_RETENTION_US = RETENTION // MICROSECOND
_AHEAD_US = MAX_AHEAD // MICROSECOND
# Written anew, a metadata object is at most this much longer than it came: 32 long numbers.
_METADATA_GROWTH = 1_024
_METADATA = {"metadata"}


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


def decode(model: type[E], record: Record, now_us: int, proofs: Proofs | None) -> tuple[E, int]:
    """Read one record: the event, and its `occurred_at` in microseconds since 1970.

    `now_us` judges that time unless the broker stamped the record. Without `proofs` anybody may
    name any tenant; nobody shall leave them out by mistake, hence no default. Raises only
    `InvalidRecordError`.
    """
    if record.value is None:
        raise InvalidRecordError(Reason.NULL_VALUE, "the record has no value")
    event = parse(model, record.value, record.headers)
    if proofs is not None:
        proofs.check(record.topic, event.tenant_id, record.value, record.headers)
    # A broker's own stamp makes the verdict the same in every service, at every replay.
    if record.timestamp_type == LOG_APPEND_TIME and record.timestamp > 0:
        now_us = record.timestamp * 1000
    return event, check_time(event, now_us)


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
        return _checked(mend(model, text, structured=structured), MAX_EVENT_BYTES, headers)
    try:
        event: E = model.__pydantic_validator__.validate_json(text)
    except (ValidationError, ValueError):
        # Perhaps only an explicit null where a default stands: look again, with more patience.
        return _checked(mend(model, text), MAX_EVENT_BYTES, headers)
    return _checked(event, len(value), headers)


def microseconds(at: datetime) -> int:
    """Microseconds since 1970; exact until 2106, as far as doubles are fine enough."""
    return round(at.timestamp() * 1e6)


def check_time(event: Event, now_us: int) -> int:
    """Refuse what is further ahead than clocks drift, or older than anything is kept.

    Answers `occurred_at` in microseconds since 1970.
    """
    at_us = microseconds(event.occurred_at)
    if not now_us - _RETENTION_US <= at_us <= now_us + _AHEAD_US:
        raise InvalidRecordError(
            Reason.BAD_TIME,
            f"occurred_at must lie within the last {RETENTION.days} days and not more than "
            f"{MAX_AHEAD.total_seconds() / 3600:.0f} h ahead",
            "/occurred_at",
        )
    return at_us


def fingerprint(event: Event) -> bytes:
    """16 bytes that differ when anything the event says differs, however it was formatted."""
    # The serializer itself: model_dump_json costs as much again in looking at its arguments.
    write = event.__pydantic_serializer__.to_json
    metadata = getattr(event, "metadata", None)
    if metadata and len(metadata) > 1:
        # Metadata is the last field: what a copy with sorted metadata would give, at half the cost.
        body = write(event, exclude_defaults=True, exclude=_METADATA)
        body = b'%s,"metadata":%s}' % (body[:-1], to_json(dict(sorted(metadata.items()))))
    else:
        body = write(event, exclude_defaults=True)
    return blake2b(body, digest_size=16).digest()


def _is_unusual(text: str) -> bool:
    # To look for one character first costs a tenth of looking for the word.
    return (
        ("\\" in text and "\\u0000" in text)
        or ("N" in text and "NaN" in text)
        or ("I" in text and "Infinity" in text)
        or text.count("{") + ("[" in text and text.count("[")) > MAX_DEPTH
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


def _checked(event: E, size: int, headers: Headers) -> E:
    """Check what no field can check alone, of an event that came in `size` bytes."""
    if size + _METADATA_GROWTH > MAX_METADATA_BYTES:
        _check_metadata(event)
    for name, value in headers:
        if name == "ce_id" and value is not None and value.decode() != str(event.event_id):
            raise InvalidRecordError(Reason.BAD_HEADER, "ce_id is not the event_id", "/event_id")
    return event


def _check_metadata(event: Event) -> None:
    metadata = getattr(event, "metadata", None)
    if metadata is not None and len(to_json(metadata)) > MAX_METADATA_BYTES:
        raise InvalidRecordError(
            Reason.INVALID_FIELD, f"is larger than {MAX_METADATA_BYTES} bytes", "/metadata"
        )
