"""SQL of the audit log: pages of it, all of it, and heads."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from asyncpg import Record
from asyncpg.cursor import Cursor

from services.gateway.domain.audit import Asked
from shared.audit.chain import Anchor, Head, Row
from shared.delivery.postgres import Session

COLUMNS = ", ".join(Row._fields)
PORTION_S = 60
PORTION_TIMEOUT = f"SET LOCAL statement_timeout = '{PORTION_S}s'"


async def newest(
    connection: Session, tenant_id: str, asked: Asked, before: int | None, limit: int
) -> Sequence[Row]:
    """Rows that are asked for, newest first, from before a sequence number."""
    found = await connection.fetch(
        f"""
        SELECT {COLUMNS} FROM audit_log
         WHERE tenant_id = $1
           AND ($2::text IS NULL OR actor = $2)
           AND ($3::text IS NULL OR action = $3)
           AND ($4::text IS NULL OR object_type = $4)
           AND ($5::text IS NULL OR object_id = $5)
           AND ($6::timestamptz IS NULL OR occurred_at >= $6)
           AND ($7::timestamptz IS NULL OR occurred_at < $7)
           AND ($8::bigint IS NULL OR sequence < $8)
         ORDER BY sequence DESC LIMIT $9
        """,
        *(tenant_id, *asked, before, limit),
    )
    return [Row(*one) for one in found]


async def head(connection: Session, tenant_id: str) -> Head | None:
    """Where a chain ends."""
    row = await connection.fetchrow(
        "SELECT sequence, row_hash FROM audit_heads WHERE tenant_id = $1", tenant_id
    )
    return None if row is None else Head(*row)


async def opened(connection: Session, tenant_id: str) -> "Cursor[Record]":
    """A cursor over a whole chain in its order, until the transaction ends."""
    await connection.execute(PORTION_TIMEOUT)
    asked = f"SELECT {COLUMNS} FROM audit_log WHERE tenant_id = $1 ORDER BY sequence"
    return await connection.cursor(asked, tenant_id, timeout=PORTION_S)


async def portion(cursor: "Cursor[Record]", rows: int) -> list[Row]:
    """The next rows; none when there are no more."""
    found: Any = await cursor.fetch(rows, timeout=PORTION_S)
    return [Row(*one) for one in found]


async def now(connection: Session) -> datetime:
    """The store's time."""
    at: datetime = await connection.fetchval("SELECT clock_timestamp()")
    return at


async def all_heads(connection: Session) -> list[Anchor]:
    """Where the chains of all tenants end.

    The time is taken after the heads: no anchor claims to be older than what it saw.
    """
    rows = await connection.fetch("SELECT tenant_id, sequence, row_hash FROM audit_all_heads()")
    at = await now(connection)
    return [Anchor(row["tenant_id"], at, row["sequence"], row["row_hash"]) for row in rows]
