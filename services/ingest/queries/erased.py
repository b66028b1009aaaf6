"""SQL of what is erased: events that only count, and what follows for those that speak of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.delivery.columns import columns_of, unnested
from shared.delivery.postgres import Session
from shared.events.operation import OperationEvent
from shared.measures.cells import Series
from shared.privacy.due import FOLLOWERS, Note, note
from shared.privacy.tasks import Task

Counted = tuple[str, bytes, str, int, int, datetime]
"""Tenant, digest, topic, partition, offset, and when it was stored."""
MOST_ROWS = 2_000
"""What one portion lets go of: of one instant there may be millions, and each leaves notes."""

_COUNTED = ("text", "bytea", "text", "integer", "bigint", "timestamptz")
# What minutes were made of: no content, and of the person no more than finds the row.
_KEPT = (
    "tenant_id, event_id, occurred_at, operation_id, model_id, environment, operation_type,"
    " kafka_topic, kafka_partition, kafka_offset, ingested_at"
)
OPERATION = (
    f"{_KEPT}, variant, success, response_time_ms, input_tokens, output_tokens,"
    " cached_input_tokens, reasoning_tokens, confidence, error_type, cost_nano"
)
FEEDBACK = f"{_KEPT}, coalesce(variant, '') AS variant, rating, helpful, accurate, relevant, fast"
COLUMN = {"user_id": "user_pseudonym"}
OF_FEEDBACK = ("user_id", "operation_id", "model_id", "environment", "operation_type", "variant")


async def count(connection: Session, events: Sequence[Counted]) -> set[bytes]:
    """Remember that these were counted; answers those that were not before."""
    rows = await connection.fetch(
        f"""
        INSERT INTO erased_events (tenant_id, digest, kafka_topic, kafka_partition, kafka_offset,
                                   ingested_at)
        SELECT * FROM {unnested(_COUNTED)} AS k (tenant_id, digest) ORDER BY tenant_id, digest
        ON CONFLICT (tenant_id, digest) DO NOTHING RETURNING digest
        """,
        *columns_of(events, len(_COUNTED)),
    )
    return {row[0] for row in rows}


async def known(connection: Session, names: Sequence[tuple[str, bytes]]) -> set[bytes]:
    """Of these, those that were counted and are not stored any more."""
    rows = await connection.fetch(
        """
        SELECT e.digest FROM erased_events AS e
          JOIN unnest($1::text[], $2::bytea[]) AS k (tenant_id, digest)
            ON e.tenant_id = k.tenant_id AND e.digest = k.digest
        """,
        *columns_of(names, 2),
    )
    return {row[0] for row in rows}


async def name(connection: Session, names: Sequence[tuple[str, str, datetime]]) -> None:
    """What bears these digests and occurred before an instant is erased too."""
    last: dict[tuple[str, str], datetime] = {}
    for tenant_id, digest, before in names:
        last[tenant_id, digest] = max(before, last.get((tenant_id, digest), before))
    await connection.execute(
        """
        INSERT INTO erased_names AS n (tenant_id, digest, erased_before)
        SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[])
        ON CONFLICT (tenant_id, digest) DO UPDATE
           SET erased_before = greatest(n.erased_before, EXCLUDED.erased_before)
        """,
        *columns_of([(*key, before) for key, before in sorted(last.items())], 3),
    )


async def follow(
    connection: Session,
    of: tuple[str, UUID | None, datetime],
    operations: Sequence[tuple[str, str | None]],
    *,
    with_unit: bool,
) -> None:
    """Note operations, and what they are called from now on, for all who keep something of them.

    `of`: the tenant, the erasure where it is known, and before when it occurred.
    """
    tenant_id, erasure_id, before = of
    await note(
        connection,
        [
            Note(
                *(tenant_id, service, erasure_id, "operation", operation_id, None, None),
                *(replaced_by, with_unit, before),
            )
            for operation_id, replaced_by in operations
            for service in FOLLOWERS
        ],
    )


async def low(connection: Session, table: str, task: Task, at: datetime, rows: int) -> Any:
    """The time of the row that stands so many rows before an instant; `None`: there are fewer."""
    return await connection.fetchval(
        f"SELECT occurred_at FROM {table} WHERE tenant_id = $1 AND occurred_at < $2"
        " ORDER BY occurred_at DESC OFFSET $3 LIMIT 1",
        *(task.tenant_id, at, rows),
    )


def condition(task: Task, fields: Sequence[str], first: int) -> tuple[str, list[str]] | None:
    """What finds the rows of a subject, from parameter `first` on; `None`: no row can bear it."""
    if not task.subject.keys() <= set(fields):
        return None
    named = sorted(task.subject.items())
    parts = [f"{COLUMN.get(field, field)} = ${first + at}" for at, (field, _) in enumerate(named)]
    return " AND ".join(parts), [value for _, value in named]


async def take(
    connection: Session,
    table: str,
    columns: str,
    found: tuple[str, Sequence[Any]],
) -> list[Any]:
    """Delete so many rows at most, and answer what of them was counted.

    Fewer are the last: rows that somebody else deletes are passed over, not counted in.
    """
    where, values = found
    return await connection.fetch(
        f"""
        WITH chosen AS MATERIALIZED (
            SELECT tenant_id, event_id, occurred_at FROM {table} WHERE {where} LIMIT {MOST_ROWS}
               FOR UPDATE
        )
        DELETE FROM {table} WHERE {where} AND (tenant_id, event_id, occurred_at) IN (
            SELECT tenant_id, event_id, occurred_at FROM chosen)
        RETURNING {columns}
        """,
        *values,
    )


async def unname(
    connection: Session, table: str, columns: str, found: tuple[str, Sequence[Any]], changes: str
) -> list[Any]:
    """Take names and texts out of so many rows at most, which stay; answers them as they were.

    A row without a hash was anonymised before, and has nothing left.
    """
    where, values = found
    return await connection.fetch(
        f"""
        WITH was AS MATERIALIZED (
            SELECT {columns}, 'erased.' || gen_random_uuid() AS replaced_by
              FROM {table} WHERE {where} AND payload_hash <> '' LIMIT {MOST_ROWS} FOR UPDATE
        ), gone AS (
            UPDATE {table} AS t
               SET event_id = gen_random_uuid(), payload_hash = '', user_pseudonym = NULL, {changes}
              FROM was AS w
             WHERE t.tenant_id = w.tenant_id AND t.event_id = w.event_id
               AND t.occurred_at = w.occurred_at
        )
        SELECT * FROM was
        """,
        *values,
    )


async def letters(
    connection: Session, tenant_id: str, after: Sequence[Any], most: int
) -> Sequence[Any]:
    """Dead letters that may be a tenant's, in the order of their places."""
    return await connection.fetch(
        """
        SELECT topic, partition, kafka_offset, tenant_id, record_timestamp, record_value
          FROM dead_letters
         WHERE (topic, partition, kafka_offset) > ($2, $3, $4)
           AND (tenant_id IS NULL OR tenant_id = $1)
         ORDER BY topic, partition, kafka_offset LIMIT $5
        """,
        *(tenant_id, *after, most),
    )


async def remove_letters(connection: Session, places: Sequence[tuple[str, int, int]]) -> None:
    """Forget dead letters; what was not published yet never is."""
    await connection.execute(
        """
        DELETE FROM dead_letters AS l
         USING unnest($1::text[], $2::integer[], $3::bigint[]) AS k (topic, partition, at)
         WHERE l.topic = k.topic AND l.partition = k.partition AND l.kafka_offset = k.at
        """,
        *columns_of(places, 3),
    )


def operation_of(row: Any) -> OperationEvent:
    """A stored row as it is counted."""
    return OperationEvent.model_construct(**dict(row))


def series_of(row: Any) -> Series | None:
    """What a stored feedback was counted under; `None`: it was not."""
    if row["model_id"] is None:
        return None
    return Series(
        row["model_id"], row["environment"] or "", row["operation_type"] or "", row["variant"]
    )
