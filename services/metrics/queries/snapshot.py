"""SQL of a partition's content at one instant: what its live cells are rebuilt from."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from asyncpg import Connection, Pool
from asyncpg.pool import PoolConnectionProxy

from services.metrics.domain.batch import BUCKET_S
from services.metrics.domain.snapshot import Snapshot
from services.metrics.domain.waiting import Waiting, encode_waiting
from shared.codec import microseconds
from shared.delivery.plan import Partition
from shared.measures.cells import FEEDBACK_SCALARS, HOUR, SCALARS, Cell, CellKey, Series, add_into
from shared.measures.fold import Judgement, minute_start
from shared.measures.identity import digest_of

Session = Connection | PoolConnectionProxy

SOURCE_GROUP = "ingest"
MEASURES = (*SCALARS, *FEEDBACK_SCALARS)
WAITS_AT_MOST = timedelta(days=7)
PREFETCH = 500

_MINUTES = f"""
    SELECT tenant_id, extract(epoch FROM minute)::bigint AS start, model_id, environment,
           operation_type, variant, distribution, {", ".join(MEASURES)}
      FROM operation_rollup_minute
     WHERE topic = $1 AND partition = $2 AND minute >= $3
"""
_NEXT = """
    SELECT next_offset FROM consumer_fence
     WHERE consumer_group = $1 AND topic = $2 AND partition = $3
"""
_ARRIVED = " UNION ALL ".join(
    f"""
    SELECT tenant_id, event_id, occurred_at, ingested_at FROM {table}
     WHERE kafka_topic = $1 AND kafka_partition = $2 AND ingested_at >= $3
    """
    for table in ("ai_model_operations", "user_feedback")
)
_ERASED = """
    SELECT digest, ingested_at FROM erased_events
     WHERE kafka_topic = $1 AND kafka_partition = $2 AND ingested_at >= $3
"""
_WAITING = """
    SELECT tenant_id, event_id, occurred_at, operation_id, rating, helpful, accurate, relevant, fast
      FROM user_feedback
     WHERE model_id IS NULL AND kafka_topic = $1 AND kafka_partition = $2 AND ingested_at >= $3
"""


@asynccontextmanager
async def one_instant(pool: Pool) -> AsyncIterator[Session]:
    """A connection on which every statement sees the same instant."""
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield connection


async def position(connection: Session, partition: Partition) -> int | None:
    """Where ingest stands in a partition."""
    found: int | None = await connection.fetchval(_NEXT, SOURCE_GROUP, *partition)
    return found


def cell_of(row: Any) -> Cell:
    """The cell of one minute's row."""
    cell = {name: row[name] for name in MEASURES}
    cell.update((name, int(count)) for name, count in json.loads(row["distribution"]).items())
    return {name: count for name, count in cell.items() if count}


async def minutes_since(
    connection: Session, partition: Partition, since: datetime
) -> AsyncIterator[tuple[CellKey, Cell]]:
    """Minutes of a partition, one by one."""
    async for row in connection.cursor(_MINUTES, *partition, since, prefetch=PREFETCH):
        yield CellKey(row["tenant_id"], row["start"], Series(*row[2:6])), cell_of(row)


async def take(
    pool: Pool, partition: Partition, now: datetime, kept_s: Mapping[str, int], seen_s: int
) -> Snapshot:
    """All that the cells of a partition are made of, as of one instant.

    `kept_s`: how far back minute cells (`m`) and hour cells (`h`) reach; `seen_s`: identities.
    """
    async with one_instant(pool) as connection:
        snapshot = Snapshot(await position(connection, partition))
        if snapshot.next_offset is None:
            return snapshot
        await _add_cells(snapshot, connection, partition, now, kept_s)
        arrived = await connection.fetch(_ARRIVED, *partition, now - timedelta(seconds=seen_s))
        for row in arrived:
            bucket = int(row["ingested_at"].timestamp()) // BUCKET_S
            snapshot.seen.setdefault(bucket, []).append(_digest(row))
        # What was erased was counted: it counts no second time when it comes again.
        erased = await connection.fetch(_ERASED, *partition, now - timedelta(seconds=seen_s))
        for row in erased:
            bucket = int(row["ingested_at"].timestamp()) // BUCKET_S
            snapshot.seen.setdefault(bucket, []).append(row["digest"])
        for row in await connection.fetch(_WAITING, *partition, now - WAITS_AT_MOST):
            snapshot.waiting[_digest(row)] = encode_waiting(
                Waiting(
                    row["tenant_id"],
                    row["operation_id"],
                    minute_start(microseconds(row["occurred_at"])),
                    Judgement(*row[4:9]),
                )
            )
    return snapshot


async def _add_cells(
    snapshot: Snapshot,
    connection: Session,
    partition: Partition,
    now: datetime,
    kept_s: Mapping[str, int],
) -> None:
    since = {name: int(now.timestamp()) - kept for name, kept in kept_s.items()}
    first = datetime.fromtimestamp(since["h"] // HOUR * HOUR, UTC)
    async for key, cell in minutes_since(connection, partition, first):
        if key.start >= since["m"]:
            snapshot.minutes[key] = cell
        hour = CellKey(key.tenant_id, key.start // HOUR * HOUR, key.series)
        add_into(snapshot.hours.setdefault(hour, {}), cell)


def _digest(row: Any) -> bytes:
    return digest_of(row["tenant_id"], row["event_id"], microseconds(row["occurred_at"]))
