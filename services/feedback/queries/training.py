"""SQL of training rows, what blocks them, and the changes that are to be told."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.feedback.domain.making import Row
from services.feedback.queries.analysis import OperationKey
from shared.delivery.columns import columns_of, stage, unnested
from shared.delivery.postgres import Session
from shared.events.training import TrainingExampleEvent

_KEY = ("tenant_id", "row_id")
_TYPES = {
    **dict.fromkeys(Row._fields, "text"),
    "row_id": "uuid",
    **dict.fromkeys(("occurred_at", "weighed_at"), "timestamptz"),
    **dict.fromkeys(("quality", "weight"), "float8"),
    **dict.fromkeys(("input_hash", "content_hash"), "bytea"),
    **dict.fromkeys(("terms", "lineage"), "jsonb"),
    "reasons": "text[]",
    **dict.fromkeys(("consent", "has_pii"), "boolean"),
}
_COLUMNS = ", ".join(Row._fields)
_SET = ", ".join(f"{name} = EXCLUDED.{name}" for name in Row._fields if name not in _KEY)
_PUT = f"""
    INSERT INTO model_training_data ({_COLUMNS})
    SELECT {_COLUMNS} FROM pg_temp.staged_training_rows ORDER BY tenant_id, row_id
    ON CONFLICT (tenant_id, row_id) DO UPDATE SET {_SET}, updated_at = clock_timestamp()
"""


_CHANGE = ("tenant_id", "event_id", "operation_id", "occurred_at", "body")
_CHANGE_TYPES = ("text", "uuid", "text", "timestamptz", "jsonb")


async def stored(
    connection: Session, keys: Sequence[OperationKey]
) -> dict[OperationKey, dict[UUID, Row]]:
    """Rows of some operations as they are."""
    rows = await connection.fetch(
        f"""
        SELECT {", ".join(f"m.{name}" for name in Row._fields)}
          FROM unnest($1::text[], $2::text[]) AS k (tenant_id, operation_id)
          JOIN model_training_data AS m
            ON m.tenant_id = k.tenant_id AND m.operation_id = k.operation_id
        """,
        *columns_of(keys, 2),
    )
    found: dict[OperationKey, dict[UUID, Row]] = defaultdict(dict)
    for row in rows:
        one = Row(*row)
        found[one.tenant_id, one.operation_id][one.row_id] = one
    return found


async def blocked(
    connection: Session, keys: Sequence[OperationKey]
) -> dict[OperationKey, set[UUID]]:
    """Rows of some operations that somebody took out."""
    rows = await connection.fetch(
        """
        SELECT b.tenant_id, b.operation_id, b.row_id
          FROM unnest($1::text[], $2::text[]) AS k (tenant_id, operation_id)
          JOIN training_blocks AS b
            ON b.tenant_id = k.tenant_id AND b.operation_id = k.operation_id
        """,
        *columns_of(keys, 2),
    )
    found: dict[OperationKey, set[UUID]] = defaultdict(set)
    for row in rows:
        found[row[0], row[1]].add(row[2])
    return found


async def put(connection: Session, rows: Sequence[Row]) -> None:
    """Put rows in the place of those that were."""
    await stage(connection, "staged_training_rows", _TYPES, rows)
    await connection.execute(_PUT)


async def remove(connection: Session, rows: Collection[tuple[str, UUID]]) -> None:
    """Remove rows that are made no more."""
    await connection.execute(
        """
        DELETE FROM model_training_data AS m
         USING unnest($1::text[], $2::uuid[]) AS k (tenant_id, row_id)
         WHERE m.tenant_id = k.tenant_id AND m.row_id = k.row_id
        """,
        *columns_of(rows, 2),
    )


async def leave_datasets(
    connection: Session, rows: Collection[tuple[str, str, UUID | None]]
) -> None:
    """Take rows out of frozen datasets too, and count them there; `None`: all of the operation.

    A correction leaves its answer's row as well.
    """
    await connection.execute(
        """
        WITH gone AS (
            DELETE FROM dataset_rows AS r
             USING unnest($1::text[], $2::text[], $3::uuid[]) AS k (tenant_id, operation_id, row_id)
             WHERE r.tenant_id = k.tenant_id AND r.operation_id = k.operation_id
               AND (k.row_id IS NULL OR r.row_id = k.row_id)
            RETURNING r.tenant_id, r.dataset_id, r.operation_id, r.kind, r.output
        ), cleared AS (
            UPDATE dataset_rows AS r SET correction = NULL FROM gone AS g
             WHERE g.kind = 'correction' AND r.kind = 'answer' AND r.tenant_id = g.tenant_id
               AND r.operation_id = g.operation_id AND r.dataset_id = g.dataset_id
               AND r.correction = g.output
               AND NOT EXISTS (
                   SELECT FROM unnest($1::text[], $2::text[], $3::uuid[])
                               AS k (tenant_id, operation_id, row_id)
                    WHERE r.tenant_id = k.tenant_id AND r.operation_id = k.operation_id
                      AND (k.row_id IS NULL OR r.row_id = k.row_id))
        )
        UPDATE datasets AS d SET withdrawn = d.withdrawn + g.rows
          FROM (SELECT tenant_id, dataset_id, count(*) AS rows FROM gone
                 GROUP BY tenant_id, dataset_id) AS g
         WHERE d.tenant_id = g.tenant_id AND d.dataset_id = g.dataset_id
        """,
        *columns_of(rows, 3),
    )


async def tell(connection: Session, events: Sequence[TrainingExampleEvent]) -> None:
    """Keep changes with what they changed; they are told from there."""
    if not events:
        return
    rows = [
        (one.tenant_id, one.event_id, one.operation_id, one.occurred_at, one.model_dump_json())
        for one in events
    ]
    await connection.execute(
        f"""
        INSERT INTO training_changes ({", ".join(_CHANGE)})
        SELECT * FROM {unnested(_CHANGE_TYPES)}
        """,
        *columns_of(rows, len(_CHANGE_TYPES)),
    )


async def untold(connection: Session, most: int) -> list[Any]:
    """Changes that the broker does not have, oldest first, if nobody else is at it."""
    if not await connection.fetchval(
        "SELECT pg_try_advisory_xact_lock(hashtext('assay.feedback-tell'))"
    ):
        return []
    rows: list[Any] = await connection.fetch(
        """
        SELECT tenant_id, change_id, event_id, operation_id, occurred_at, body
          FROM training_changes WHERE published_at IS NULL ORDER BY change_id LIMIT $1
        """,
        most,
    )
    return rows


async def mark_told(connection: Session, changes: Sequence[Any]) -> None:
    """The broker has these."""
    await connection.execute(
        """
        UPDATE training_changes AS c SET published_at = now()
          FROM unnest($1::text[], $2::bigint[]) AS k (tenant_id, change_id)
         WHERE c.tenant_id = k.tenant_id AND c.change_id = k.change_id
        """,
        *columns_of([(row["tenant_id"], row["change_id"]) for row in changes], 2),
    )


async def forget_told(connection: Session, before: datetime, most: int) -> int:
    """Remove changes that were told before an instant; answers how many."""
    done = await connection.execute(
        """
        DELETE FROM training_changes AS c USING (
            SELECT tenant_id, change_id FROM training_changes
             WHERE published_at < $1 ORDER BY published_at LIMIT $2
        ) AS old
         WHERE c.tenant_id = old.tenant_id AND c.change_id = old.change_id
        """,
        before,
        most,
    )
    return int(done.split()[-1])
