"""SQL of what has been kept long enough."""

from collections.abc import Sequence
from datetime import date, datetime

from shared.delivery.postgres import Session

MOST_ROWS = 5_000
# Whoever names a tenant that there is not is nobody's.
OF_TENANT = (
    "CASE WHEN $1::text IS NULL THEN tenant_id IS NULL"
    " OR tenant_id NOT IN (SELECT t.tenant_id FROM tenants AS t) ELSE tenant_id = $1 END"
)


async def one_at_a_time(connection: Session) -> None:
    """Wait for whoever lets go of something, until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('assay.retention', 0))")


async def ended_days(connection: Session, table: str) -> Sequence[date]:
    """Days that no tenant keeps, oldest first."""
    rows = await connection.fetch("SELECT * FROM ended_partitions($1::text::regclass)", table)
    return [row[0] for row in rows]


async def drop_day(connection: Session, table: str, day: date) -> bool:
    """Drop a day. Raises `LockNotAvailableError` while somebody reads or writes the table."""
    dropped = await connection.fetchval(
        "SELECT drop_day_partition($1::text::regclass, $2)", table, day
    )
    return bool(dropped)


async def oldest(
    connection: Session, table: str, tenant_id: str, since: datetime | None, before: datetime
) -> datetime | None:
    """When a tenant's oldest row of a span occurred."""
    at: datetime | None = await connection.fetchval(
        f"SELECT min(occurred_at) FROM {table} WHERE tenant_id = $1 AND occurred_at < $2"
        " AND occurred_at >= coalesce($3, '-infinity'::timestamptz)",
        *(tenant_id, before, since),
    )
    return at


async def forget_letters(connection: Session, tenant_id: str | None, before: datetime) -> int:
    """Delete dead letters that were told; what is still to be published stays."""
    return await _count(
        connection,
        f"""
        DELETE FROM dead_letters WHERE (topic, partition, kafka_offset) IN (
            SELECT topic, partition, kafka_offset FROM dead_letters
             WHERE {OF_TENANT} AND first_seen_at < $2
               AND published_at IS NOT NULL LIMIT {MOST_ROWS} FOR UPDATE SKIP LOCKED)
        """,
        *(tenant_id, before),
    )


async def forget_minutes(
    table: str, connection: Session, tenant_id: str | None, before: datetime
) -> int:
    """Delete minutes of a tenant."""
    return await _count(
        connection,
        f"""
        DELETE FROM {table} WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM {table} WHERE tenant_id = $1 AND minute < $2
             LIMIT {MOST_ROWS} FOR UPDATE SKIP LOCKED))
        """,
        *(tenant_id, before),
    )


async def forget_counted(connection: Session, before: datetime) -> int:
    """Forget events that are too old to come again."""
    return await _count(
        connection,
        f"""
        DELETE FROM erased_events WHERE (tenant_id, digest) IN (
            SELECT tenant_id, digest FROM erased_events WHERE ingested_at < $1 LIMIT {MOST_ROWS})
        """,
        before,
    )


async def _count(connection: Session, statement: str, *values: object) -> int:
    done = await connection.execute(statement, *values)
    return int(done.rpartition(" ")[2])
