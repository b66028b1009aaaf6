"""Let go of what has been kept long enough, now and not within the hour."""

from collections.abc import Callable
from typing import NamedTuple

import asyncpg

from services.ingest.queries.retention import OF_TENANT, ended_days
from services.ingest.store.retaining import (
    OF,
    PostgresRetaining,
    after_ended_days,
    rows_before,
)
from shared.clock import utc_now
from shared.delivery.postgres import Session
from shared.privacy.cutoffs import cutoffs

_LETTERS = f"""
    SELECT count(*) FROM dead_letters
     WHERE {OF_TENANT} AND first_seen_at < $2 AND published_at IS NOT NULL
"""
_MINUTES = "SELECT count(*) FROM operation_rollup_minute WHERE tenant_id = $1 AND minute < $2"


class Went(NamedTuple):
    """What went (or would go): whole days, and rows by class."""

    days: int = 0
    operations: int = 0
    feedback: int = 0
    dead_letters: int = 0
    minutes: int = 0


async def run(dsn: str, tell: Callable[[str, int], None]) -> Went:
    """One whole pass of ingest's. What was made of operations, feedback lets go of by itself."""
    async with asyncpg.create_pool(dsn, min_size=0, max_size=2) as pool:
        gone = await PostgresRetaining(pool, utc_now, tell).look()
    return Went(**{name: gone.get(name, 0) for name in Went._fields})


async def preview(dsn: str) -> Went:
    """What a pass would let go of."""
    connection = await asyncpg.connect(dsn)
    try:
        return Went(
            days=sum([len(await ended_days(connection, table.name)) for table in OF.values()]),
            operations=await _rows(connection, "operations"),
            feedback=await _rows(connection, "feedback"),
            dead_letters=await _simple(connection, "dead_letters", _LETTERS),
            minutes=await _simple(connection, "minutes", _MINUTES),
        )
    finally:
        await connection.close()


async def _rows(connection: Session, of_class: str) -> int:
    table, found = OF[of_class], 0
    since = await after_ended_days(connection, table)
    for tenant_id in await cutoffs(connection, of_class):
        if tenant_id is None:
            continue
        before = await rows_before(connection, utc_now(), of_class, tenant_id)
        found += await connection.fetchval(
            f"SELECT count(*) FROM {table.name} WHERE tenant_id = $1 AND occurred_at < $2"
            " AND occurred_at >= coalesce($3, '-infinity'::timestamptz)",
            *(tenant_id, before, since),
        )
    return found


async def _simple(connection: Session, of_class: str, statement: str) -> int:
    found = 0
    for tenant_id, before in (await cutoffs(connection, of_class)).items():
        found += await connection.fetchval(statement, tenant_id, before)
    return found
