"""Cursors: where a page of a newest-first list ended, opaque to its reader."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from services.gateway.domain.problems import Problem


class Cursor(NamedTuple):
    """The last row of a page."""

    occurred_at: datetime
    event_id: UUID


def encode_cursor(cursor: Cursor) -> str:
    """As handed out."""
    return urlsafe_b64encode(f"{cursor[0].isoformat()} {cursor[1]}".encode()).decode().rstrip("=")


def decode_cursor(text: str) -> Cursor:
    """As it was; anything else is the reader's mistake."""
    try:
        plain = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        at, _, event_id = plain.partition(" ")
        occurred_at = datetime.fromisoformat(at)
        if occurred_at.tzinfo is None:
            raise ValueError("no offset")
        return Cursor(occurred_at, UUID(event_id))
    except ValueError as error:
        raise Problem(
            "invalid",
            "cursor is not one that this list has answered; leave it out to begin anew.",
            errors=[{"pointer": "/cursor", "code": "invalid_field", "message": "unknown cursor"}],
        ) from error


def next_cursor(
    rows: Sequence[Mapping[str, Any]], limit: int, at: str, identity: str
) -> str | None:
    """Where a page of `limit` ends, when more rows than that were found; columns name its order."""
    if len(rows) <= limit:
        return None
    last = rows[limit - 1]
    return encode_cursor(Cursor(last[at], last[identity]))
