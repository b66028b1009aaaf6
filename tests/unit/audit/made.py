"""Chains that were never in a database."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from shared.audit.chain import BEGIN, Anchor, Head, Row, Verdict, Verifier, sealed
from shared.audit.keys import Keys

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
KEYS = Keys({1: b"one" * 12, 2: b"two" * 12})
LATER = NOON + timedelta(days=1)


def chain(rows: int, tenant: str = "acme", keys: Keys = KEYS, switch: int = 0) -> list[Row]:
    """A whole chain; rows up to `switch` are of key version 1, the rest of the current one."""
    found: list[Row] = []
    for number in range(1, rows + 1):
        row = Row(
            *(tenant, number, NOON + timedelta(seconds=number), f"key:{number % 3}", "admin"),
            *("silence.create", "silence", f"id-{number}", None, f'{{"n":{number}}}', "request"),
            *(1 if number <= switch else keys.current, found[-1].row_hash if found else BEGIN),
        )
        found.append(resealed(row, keys))
    return found


def resealed(row: Row, keys: Keys = KEYS) -> Row:
    """With the hash that it should have."""
    hash_ = sealed(row, keys)
    assert hash_ is not None
    return row._replace(row_hash=hash_)


def head_of(rows: Sequence[Row]) -> Head | None:
    """As the store keeps it."""
    return Head(rows[-1].sequence, rows[-1].row_hash) if rows else None


def anchor_of(row: Row, minute: int = 0) -> Anchor:
    """A row that was the last one when heads were written down."""
    at = row.occurred_at + timedelta(minutes=minute)
    return Anchor(row.tenant_id, at, row.sequence, row.row_hash)


def look(
    rows: Sequence[Row],
    head: Head | None,
    anchors: Sequence[Anchor] = (),
    keys: Keys = KEYS,
    as_of: datetime = LATER,
) -> Verdict:
    """What comes of verifying."""
    verifier = Verifier("acme", keys, anchors)
    for row in rows:
        verifier.add(row)
    return verifier.end(head, as_of)
