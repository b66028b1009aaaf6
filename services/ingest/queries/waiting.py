"""SQL of feedback that named no model and waits for its operation."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from services.ingest.queries.events import add_rollups
from shared.codec import microseconds
from shared.delivery.columns import columns_of
from shared.delivery.postgres import Session
from shared.measures.cells import CellKey, Cells, Series
from shared.measures.fold import Judgement, add_judgement, minute_start

MOST = 1_000


async def join(connection: Session, since: timedelta) -> int:
    """Attribute what arrived within `since` to its operations, and count it; answers how many.

    Locked, so that nothing is counted that somebody erases meanwhile.
    """
    if not await connection.fetchval("SELECT pg_try_advisory_xact_lock(hashtext('assay.join'))"):
        return 0
    found = await connection.fetch(
        """
        SELECT f.tenant_id, f.event_id, f.occurred_at, f.rating, f.helpful, f.accurate,
               f.relevant, f.fast, f.kafka_topic, f.kafka_partition,
               o.model_id, o.environment, o.operation_type, coalesce(o.variant, '') AS variant
          FROM user_feedback AS f
          JOIN LATERAL (SELECT * FROM (
                   SELECT occurred_at, model_id, environment, operation_type, variant
                     FROM ai_model_operations
                    WHERE tenant_id = f.tenant_id AND operation_id = f.operation_id
                    ) AS same ORDER BY occurred_at DESC LIMIT 1) AS o ON true
         WHERE f.model_id IS NULL AND f.ingested_at > now() - $1::interval
         ORDER BY f.ingested_at LIMIT $2
           FOR UPDATE OF f
        """,
        since,
        MOST,
    )
    await connection.executemany(
        """
        UPDATE user_feedback SET model_id = $4, environment = $5, operation_type = $6, variant = $7
         WHERE tenant_id = $1 AND event_id = $2 AND occurred_at = $3
        """,
        [
            (*row[:3], row["model_id"], row["environment"], row["operation_type"], row["variant"])
            for row in found
        ],
    )
    for (topic, partition), cells in _by_partition(found).items():
        await add_rollups(connection, topic, partition, cells)
    return len(found)


async def series_of(
    connection: Session, operations: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], Series]:
    """What feedback on operations counts under, as far as they are stored."""
    rows = await connection.fetch(
        """
        SELECT k.tenant_id, k.operation_id, o.model_id, o.environment, o.operation_type,
               coalesce(o.variant, '') AS variant
          FROM unnest($1::text[], $2::text[]) AS k (tenant_id, operation_id)
          JOIN LATERAL (SELECT * FROM (
                   SELECT occurred_at, model_id, environment, operation_type, variant
                     FROM ai_model_operations
                    WHERE tenant_id = k.tenant_id AND operation_id = k.operation_id
                    ) AS same ORDER BY occurred_at DESC LIMIT 1) AS o ON true
        """,
        *columns_of(operations, 2),
    )
    return {(row[0], row[1]): Series(*row[2:6]) for row in rows}


def _by_partition(found: list[Any]) -> dict[tuple[str, int], Cells]:
    parts: dict[tuple[str, int], Cells] = {}
    for row in found:
        series = Series(row["model_id"], row["environment"], row["operation_type"], row["variant"])
        key = CellKey(row["tenant_id"], minute_start(microseconds(row["occurred_at"])), series)
        cells = parts.setdefault((row["kafka_topic"], row["kafka_partition"]), {})
        judgement = Judgement(
            row["rating"], row["helpful"], row["accurate"], row["relevant"], row["fast"]
        )
        add_judgement(cells.setdefault(key, {}), judgement)
    return parts
