"""The three kinds of failure a consumer knows."""

from enum import StrEnum


class Reason(StrEnum):
    """Why a record can never be an event; the value is part of the public contract."""

    INVALID_JSON = "invalid_json"
    INVALID_FIELD = "invalid_field"
    MISSING_FIELD = "missing_field"
    TOO_LARGE = "too_large"
    TOO_DEEP = "too_deep"
    NULL_VALUE = "null_value"
    BAD_ENCODING = "bad_encoding"
    BAD_HEADER = "bad_header"
    UNSUPPORTED_VERSION = "unsupported_version"
    UNKNOWN_TENANT = "unknown_tenant"
    TENANT_MISMATCH = "tenant_mismatch"
    BAD_TIME = "bad_time"
    EVENT_ID_REUSE = "event_id_reuse"


MAX_DETAIL = 512


class InvalidRecordError(Exception):
    """The record can never become an event: dead letter, never retry."""

    def __init__(self, reason: Reason, detail: str, pointer: str = "") -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail[:MAX_DETAIL]
        self.pointer = pointer


class FencedError(Exception):
    """Another process owns this partition now: forget the position, drop the batch."""


class IncidentError(Exception):
    """The log and the sink contradict each other: stop this partition and call a person."""
