"""The chain of a tenant's audit rows, and how to see that one was touched. Pure.

`row_hash = HMAC-SHA256(key of the tenant and version, prev_hash || canonical row)`. Rows are looked
at one after the other, so a chain of any length is verified in constant memory.
"""

import hmac
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from shared.audit.keys import Keys

FORMAT: Final = 1
_AS_JSON: Final = json.JSONEncoder(separators=(",", ":")).encode
BEGIN: Final = bytes(32)
"""What the first row of a chain follows."""
INSTALLATION: Final = "*"
"""Whose chain tells what belongs to no tenant; no tenant can have this name."""


class Entry(NamedTuple):
    """Something that is done to an object."""

    action: str
    object_type: str
    object_id: str
    before: Any = None
    after: Any = None


class Row(NamedTuple):
    """One row of a chain, as it is stored."""

    tenant_id: str
    sequence: int
    occurred_at: datetime
    actor: str
    role: str | None
    action: str
    object_type: str
    object_id: str
    before: str | None
    after: str | None
    request_id: str | None
    key_version: int
    prev_hash: bytes = BEGIN
    row_hash: bytes = b""


class Head(NamedTuple):
    """The last row of a chain."""

    sequence: int
    row_hash: bytes


class Anchor(NamedTuple):
    """A head as it was written down outside the database."""

    tenant_id: str
    at: datetime
    sequence: int
    row_hash: bytes


class AnchorsBrokenError(Exception):
    """The anchors themselves were touched."""


class Verdict(NamedTuple):
    """What came of looking at a chain."""

    rows: int
    first_broken: int | None
    """The sequence number at which the chain is first wrong; `None` when it is whole."""
    why: str | None
    head: Head | None
    """The last row that fits."""
    anchors: int
    """Anchors that rows were compared with."""

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return self.why is None


def instant(at: datetime) -> str:
    """A time to the microsecond, in UTC."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def sealed(row: Row, keys: Keys) -> bytes | None:
    """The hash that a row must have; `None` when its key is not here."""
    key = keys.of_chain(row.key_version, row.tenant_id)
    return None if key is None else hmac.digest(key, row.prev_hash + _canonical(row), "sha256")


def _canonical(row: Row) -> bytes:
    # An array of JSON: its members cannot run into one another.
    members = [FORMAT, *row[:2], instant(row.occurred_at), *row[3:12]]
    return _AS_JSON(members).encode()


class Verifier:
    """Looks at the rows of one tenant in the order of their numbers."""

    def __init__(self, tenant_id: str, keys: Keys, anchors: Iterable[Anchor] = ()) -> None:
        """`anchors` of this tenant in the order in which they were written."""
        self._tenant_id = tenant_id
        self._keys = keys
        self._anchors = iter(anchors)
        self._anchor: Anchor | None = None
        self._compared = 0
        self._rows = 0
        self._last = Head(0, BEGIN)
        self._broken: tuple[int, str] | None = None
        self._next_anchor()

    def add(self, row: Row) -> None:
        """Look at the next row."""
        self._rows += 1
        if self._broken is not None:
            return
        why = self._wrong(row)
        if why is not None:
            self._broken = min(row.sequence, self._last.sequence + 1), why
            return
        self._last = Head(row.sequence, row.row_hash)
        self._compare(row)

    def end(self, head: Head | None, as_of: datetime) -> Verdict:
        """All rows were there; `head` is what the store says of them, as of an instant."""
        if self._broken is None and (head or Head(0, BEGIN)) != self._last:
            said = head.sequence if head else 0
            why = f"the head is at {said}, the last row at {self._last.sequence}: rows were cut"
            if said == self._last.sequence:
                why = "the head has another hash than the last row"
            self._broken = min(said, self._last.sequence) + 1, why
        while self._broken is None and self._anchor is not None:
            # What was written down later than `as_of` may well be of later rows.
            if self._anchor.at <= as_of:
                why = f"row {self._anchor.sequence} was there at {instant(self._anchor.at)}"
                self._broken = self._last.sequence + 1, f"{why}: rows were cut since"
                break
            self._next_anchor()
        broken, why_broken = self._broken or (None, None)
        last = self._last if self._last.sequence else None
        return Verdict(self._rows, broken, why_broken, last, self._compared)

    def _wrong(self, row: Row) -> str | None:
        return self._misplaced(row) or self._unsealed(row)

    def _misplaced(self, row: Row) -> str | None:
        expected = self._last.sequence + 1
        if row.tenant_id != self._tenant_id:
            return "the row is another tenant's"
        if row.sequence > expected:
            return f"row {expected} is missing"
        if row.sequence < expected:
            return f"row {row.sequence} comes again, or out of order"
        if row.prev_hash != self._last.row_hash:
            return "it does not follow the row before it"
        return None

    def _unsealed(self, row: Row) -> str | None:
        hash_ = sealed(row, self._keys)
        if hash_ is None:
            return f"there is no key of version {row.key_version}"
        if not hmac.compare_digest(hash_, row.row_hash):
            return "its hash does not fit: it was changed, or this is not the key"
        return None

    def _compare(self, row: Row) -> None:
        while (anchor := self._anchor) is not None and anchor.sequence == row.sequence:
            if anchor.row_hash != row.row_hash:
                at = instant(anchor.at)
                self._broken = row.sequence, f"it had another hash at {at}: history was rewritten"
                return
            self._compared += 1
            self._next_anchor()

    def _next_anchor(self) -> None:
        before = self._anchor
        try:
            self._anchor = next(self._anchors, None)
        except AnchorsBrokenError as error:
            self._broken = self._broken or (self._last.sequence + 1, str(error))
            self._anchor = None
            return
        if before and self._anchor and self._anchor.sequence < before.sequence:
            at = instant(self._anchor.at)
            why = f"at {at} the chain was shorter than before: rows were cut, and others put there"
            self._broken = self._broken or (self._anchor.sequence + 1, why)
