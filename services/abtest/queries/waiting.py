"""SQL of feedback whose operation has not come yet."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.abtest.domain.candidates import Opinion
from shared.delivery.columns import columns_of, unnested
from shared.delivery.postgres import Session

_COLUMNS = ", ".join(f"w.{name}" for name in Opinion._fields)
_TYPES = ("text", "uuid", "timestamptz", "text", "timestamptz", *["smallint"] * 5)


async def insert(connection: Session, opinions: Sequence[Opinion]) -> None:
    """Let them wait; of two that are one event, the first."""
    first: dict[tuple[str, UUID, datetime], Opinion] = {}
    for one in opinions:
        first.setdefault((one.tenant_id, one.event_id, one.occurred_at), one)
    # Only keys are ordered: what is not observed has no order.
    ordered = [first[key] for key in sorted(first)]
    await connection.execute(
        f"""
        INSERT INTO ab_waiting ({", ".join(Opinion._fields)})
        SELECT * FROM {unnested(_TYPES)}
        ON CONFLICT (tenant_id, event_id, occurred_at) DO NOTHING
        """,
        *columns_of(ordered, len(Opinion._fields)),
    )


async def take_for(connection: Session, operations: Collection[tuple[str, str]]) -> list[Opinion]:
    """Take out what waited for operations that have come; what another takes, it will join."""
    rows = await connection.fetch(
        f"""
        DELETE FROM ab_waiting AS w USING (
            SELECT w.tenant_id, w.event_id, w.occurred_at
              FROM unnest($1::text[], $2::text[]) AS k (tenant_id, operation_id)
              JOIN ab_waiting AS w
                ON w.tenant_id = k.tenant_id AND w.operation_id = k.operation_id
               FOR UPDATE OF w SKIP LOCKED
        ) AS taken
         WHERE w.tenant_id = taken.tenant_id AND w.event_id = taken.event_id
           AND w.occurred_at = taken.occurred_at
        RETURNING {_COLUMNS}
        """,
        *columns_of(operations, 2),
    )
    return [Opinion(*row) for row in rows]


async def take_missed(connection: Session, within: timedelta, most: int) -> list[Opinion]:
    """Take out what arrived while its operation was being stored: neither saw the other."""
    rows = await connection.fetch(
        f"""
        DELETE FROM ab_waiting AS w USING (
            SELECT w.tenant_id, w.event_id, w.occurred_at FROM ab_waiting AS w
             WHERE w.waits_since > now() - $1::interval
               AND EXISTS (SELECT FROM ab_events AS e WHERE e.tenant_id = w.tenant_id
                              AND e.operation_id = w.operation_id AND e.kind = 'o')
             ORDER BY w.waits_since LIMIT $2 FOR UPDATE OF w SKIP LOCKED
        ) AS taken
         WHERE w.tenant_id = taken.tenant_id AND w.event_id = taken.event_id
           AND w.occurred_at = taken.occurred_at
        RETURNING {_COLUMNS}
        """,
        within,
        most,
    )
    return [Opinion(*row) for row in rows]


async def count(connection: Session, most: int) -> int:
    """How many wait; beyond `most` nobody counts."""
    found = await connection.fetchval(
        "SELECT count(*) FROM (SELECT FROM ab_waiting LIMIT $1) AS found", most
    )
    return int(found)
