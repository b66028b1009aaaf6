"""SQL of the event tables and their rollups."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from services.ingest.domain.rows import (
    ALERT_STEP_COLUMNS,
    FEEDBACK_COLUMNS,
    OPERATION_COLUMNS,
    Row,
)
from shared.delivery.columns import columns_of
from shared.delivery.postgres import Session
from shared.measures.cells import FEEDBACK_SCALARS, SCALARS, Cells


class EventKey(NamedTuple):
    """Identity of an event: one id under two tenants, or at two times, is two events."""

    tenant_id: str
    event_id: UUID
    occurred_at: datetime


class EventTable(NamedTuple):
    """An event table, and the temporary one that batches are copied into first."""

    name: str
    columns: list[str]
    types: dict[str, str]
    by_day: bool = True


_TYPES = {
    "event_id": "uuid",
    "occurred_at": "timestamptz",
    "success": "boolean",
    "response_time_ms": "float8",
    "time_to_first_token_ms": "float8",
    "input_tokens": "bigint",
    "output_tokens": "bigint",
    "cached_input_tokens": "bigint",
    "reasoning_tokens": "bigint",
    "cost_nano": "bigint",
    "confidence": "float8",
    "metadata": "jsonb",
    "rating": "smallint",
    "helpful": "boolean",
    "accurate": "boolean",
    "relevant": "boolean",
    "fast": "boolean",
    "training_consent": "boolean",
    "alert_id": "uuid",
    "step": "integer",
    "payload_hash": "bytea",
    "kafka_partition": "integer",
    "kafka_offset": "bigint",
}
OPERATIONS = EventTable("ai_model_operations", OPERATION_COLUMNS, _TYPES)
FEEDBACK = EventTable("user_feedback", FEEDBACK_COLUMNS, _TYPES)
ALERT_STEPS = EventTable("performance_alert_steps", ALERT_STEP_COLUMNS, _TYPES, by_day=False)

MINUTES, ERASED_MINUTES = "operation_rollup_minute", "erased_rows_minute"
_ROLLUP_KEY = (
    "tenant_id", "minute", "model_id", "environment", "operation_type", "variant", "topic",
    "partition",
)  # fmt: skip


async def stage(connection: Session, table: EventTable, rows: Sequence[Row]) -> None:
    """Load rows by COPY into a temporary table: under row level security COPY goes nowhere else."""
    # Spelled out: LIKE would need SELECT on columns this role may not read.
    columns = ", ".join(f"{name} {table.types.get(name, 'text')}" for name in table.columns)
    staged = f"staged_{table.name}"
    await connection.execute(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {staged} ({columns}) ON COMMIT DELETE ROWS"
    )
    await connection.copy_records_to_table(
        staged, schema_name="pg_temp", columns=table.columns, records=rows
    )


async def insert_staged(connection: Session, table: EventTable) -> set[int]:
    """Move staged rows into the table, the first of each identity; return the new ones' offsets."""
    columns = ", ".join(table.columns)
    rows = await connection.fetch(
        f"""
        INSERT INTO {table.name} ({columns})
        SELECT DISTINCT ON (tenant_id, event_id, occurred_at) {columns}
          FROM pg_temp.staged_{table.name}
         ORDER BY tenant_id, event_id, occurred_at, kafka_offset
        ON CONFLICT (tenant_id, event_id, occurred_at) DO NOTHING
        RETURNING kafka_offset
        """
    )
    return {row[0] for row in rows}


async def stored_hashes(
    connection: Session, table: EventTable, keys: Sequence[EventKey]
) -> dict[EventKey, bytes]:
    """Fingerprints of events that are stored already."""
    rows = await connection.fetch(
        f"""
        SELECT stored.tenant_id, stored.event_id, stored.occurred_at, stored.payload_hash
          FROM {table.name} AS stored
          JOIN unnest($1::text[], $2::uuid[], $3::timestamptz[])
               AS wanted (tenant_id, event_id, occurred_at)
            ON stored.tenant_id = wanted.tenant_id
           AND stored.event_id = wanted.event_id
           AND stored.occurred_at = wanted.occurred_at
        """,
        [key.tenant_id for key in keys],
        [key.event_id for key in keys],
        [key.occurred_at for key in keys],
    )
    return {EventKey(*row[:3]): row[3] for row in rows}


async def remove(connection: Session, table: EventTable, keys: Sequence[EventKey]) -> None:
    """Take rows out again."""
    await connection.execute(
        f"""
        DELETE FROM {table.name} AS stored
         USING unnest($1::text[], $2::uuid[], $3::timestamptz[])
               AS wanted (tenant_id, event_id, occurred_at)
         WHERE stored.tenant_id = wanted.tenant_id
           AND stored.event_id = wanted.event_id
           AND stored.occurred_at = wanted.occurred_at
        """,
        *columns_of(keys, 3),
    )


async def add_rollups(
    connection: Session, topic: str, partition: int, cells: Cells, table: str = MINUTES
) -> None:
    """Add cells to their minutes, in key order, so that two writers never lock crosswise."""
    for scalars in (SCALARS, FEEDBACK_SCALARS):
        rows = [
            _rollup_row(key, cell, topic, partition, scalars)
            for key, cell in sorted(cells.items())
            if scalars[0] in cell
        ]
        if rows:
            await connection.executemany(_add_rollup(table, scalars), rows)


def _rollup_row(
    key: Any, cell: dict[str, int], topic: str, partition: int, scalars: Sequence[str]
) -> Row:
    distribution = json.dumps({name: count for name, count in cell.items() if ":" in name})
    minute = datetime.fromtimestamp(key.start, UTC)
    return (
        *(key.tenant_id, minute, *key.series, topic, partition),
        *[cell.get(name, 0) for name in scalars],
        distribution,
    )


def _add_rollup(table: str, scalars: Sequence[str]) -> str:
    columns = (*_ROLLUP_KEY, *scalars, "distribution")
    values = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
    added = ", ".join(f"{name} = old.{name} + EXCLUDED.{name}" for name in scalars)
    return f"""
        INSERT INTO {table} AS old ({", ".join(columns)}) VALUES ({values})
        ON CONFLICT ({", ".join(_ROLLUP_KEY)}) DO UPDATE SET {added},
            distribution = add_distributions(old.distribution, EXCLUDED.distribution)
    """


async def ensure_days(connection: Session, table: EventTable, days: Iterable[date]) -> None:
    """Make the partitions of these days, where they are missing."""
    for day in days:
        await connection.execute(
            "SELECT ensure_day_partition($1::text::regclass, $2)", table.name, day
        )
