"""Cursors: where a page of a list ended, opaque to its reader and of use in that list only."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from pydantic_core import to_json

from services.gateway.domain.problems import Problem

TAG_BYTES = 16
DIGEST = "sha256"
MOST_CURSOR = 1_024
"""Characters of one; a model's name may have 128 of four bytes each."""


class Cursor(NamedTuple):
    """The last row of a page, newest first."""

    occurred_at: datetime
    event_id: UUID


class Place(NamedTuple):
    """The list that a cursor belongs to: whose, which, of what object, and by what filters."""

    tenant_id: str
    route: str
    path: tuple[tuple[str, str], ...]
    filters: tuple[tuple[str, str], ...]


class Seal:
    """Signs cursors by the first of its keys; opens what any of them has signed."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys:
            raise ValueError("a seal needs a key")
        self._keys = keys

    def of_row(self, last: Cursor, place: Place) -> str:
        """Where a page of rows ended, as handed out."""
        return self.of(f"{last.occurred_at.isoformat()} {last.event_id}", place)

    def opened_row(self, text: str, place: Place) -> Cursor:
        """As it was; anything that this list has not answered is the reader's mistake (422)."""
        at, _, event_id = self.opened(text, place).partition(" ")
        try:
            return Cursor(datetime.fromisoformat(at), UUID(event_id))
        except ValueError as error:
            raise _unknown() from error

    def of(self, last: str, place: Place) -> str:
        """Where a page ended, by a name of its last item."""
        plain = last.encode()
        return _text(_tag(self._keys[0], plain, place) + plain)

    def opened(self, text: str, place: Place) -> str:
        """The name that was sealed."""
        try:
            raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
            tag, plain = raw[:TAG_BYTES], raw[TAG_BYTES:]
            # Decoders take several spellings of the same bytes; one of them was handed out.
            is_ours = _text(raw) == text and any(
                hmac.compare_digest(tag, _tag(key, plain, place)) for key in self._keys
            )
            if is_ours:
                return plain.decode()
        except ValueError as error:
            raise _unknown() from error
        raise _unknown()


def _tag(key: bytes, plain: bytes, place: Place) -> bytes:
    # As JSON, so that no two places read the same.
    return hmac.digest(key, to_json([place, plain.hex()]), DIGEST)[:TAG_BYTES]


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _unknown() -> Problem:
    return Problem(
        "invalid",
        "cursor: not one that this list has answered with these filters; leave it out to begin "
        "anew.",
        errors=[{"pointer": "/cursor", "code": "invalid_field", "message": "unknown cursor"}],
    )
