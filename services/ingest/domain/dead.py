"""Dead letters: what could not become an event, kept whole."""

import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import NamedTuple

from shared.codec import Record
from shared.errors import MAX_DETAIL, InvalidRecordError
from shared.privacy.texts import letter_without

LATEST_MS = 253_402_300_799_000  # the last second that a datetime can hold


class DeadLetter(NamedTuple):
    """One row of `dead_letters`, in column order."""

    topic: str
    partition: int
    kafka_offset: int
    reason: str
    detail: str
    tenant_id: str | None
    record_key: bytes | None
    record_value: bytes | None
    record_headers: str
    record_timestamp: datetime


NOT_KEPT = "; its texts are not kept"


def without_content(letter: DeadLetter) -> DeadLetter:
    """A letter of a tenant that keeps no content: what names things stays, if it can be read."""
    value = letter_without(letter.record_value) if letter.record_value is not None else None
    if value == letter.record_value:
        return letter
    detail = letter.detail[: MAX_DETAIL - len(NOT_KEPT)] + NOT_KEPT
    return letter._replace(record_value=value, record_headers="[]", detail=detail)


def dead_letter(
    record: Record, error: InvalidRecordError, tenant_id: str | None = None
) -> DeadLetter:
    """Keep a record with the reason why it is none of ours."""
    headers = [
        [name.replace("\0", "\ufffd"), None if value is None else b64encode(value).decode()]
        for name, value in record.headers
    ]
    stamp = min(max(record.timestamp, 0), LATEST_MS)
    return DeadLetter(
        record.topic,
        record.partition,
        record.offset,
        error.reason.value,
        error.detail.replace("\0", "\ufffd"),
        tenant_id,
        record.key,
        record.value,
        json.dumps(headers),
        datetime.fromtimestamp(stamp / 1000, UTC),
    )
