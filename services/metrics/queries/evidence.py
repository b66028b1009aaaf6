"""SQL of a comparison: the minutes that cells should equal, less what they cannot know yet."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from asyncpg import Pool

from services.metrics.domain.difference import Evidence, Range
from services.metrics.domain.waiting import Waiting
from services.metrics.queries.snapshot import (
    MEASURES,
    WAITS_AT_MOST,
    Session,
    cell_of,
    one_instant,
    position,
)
from shared.codec import microseconds
from shared.delivery.plan import Partition
from shared.events.operation import OperationEvent
from shared.measures.cells import CellKey, Cells, Series, add_into
from shared.measures.fold import Judgement, Priced, add_judgement, fold_operations, minute_start
from shared.measures.identity import digest_of

_MINUTES = f"""
    SELECT DISTINCT tenant_id, extract(epoch FROM minute)::bigint AS start, model_id, environment,
           operation_type, variant, distribution, {", ".join(MEASURES)}
      FROM operation_rollup_minute
      JOIN unnest($3::text[], $4::timestamptz[], $5::timestamptz[]) AS wanted (tenant, start, stop)
        ON tenant_id = wanted.tenant AND minute >= wanted.start AND minute < wanted.stop
     WHERE topic = $1 AND partition = $2
"""
_PLACES = """
    SELECT DISTINCT tenant_id, extract(epoch FROM minute)::bigint AS start
      FROM operation_rollup_minute WHERE topic = $1 AND partition = $2 AND minute >= $3
"""
_OPERATIONS = """
    SELECT tenant_id, occurred_at, model_id, environment, operation_type, variant, success,
           response_time_ms, input_tokens, output_tokens, cached_input_tokens, reasoning_tokens,
           confidence, error_type, cost_nano
      FROM ai_model_operations
     WHERE kafka_topic = $1 AND kafka_partition = $2 AND kafka_offset >= $3 AND kafka_offset < $4
"""
_ERASED = """
    SELECT EXISTS (SELECT FROM erased_events WHERE kafka_topic = $1 AND kafka_partition = $2
                      AND kafka_offset >= $3 AND kafka_offset < $4)
"""
_SAID = """
    SELECT tenant_id, event_id, occurred_at, kafka_offset, model_id,
           coalesce(environment, ''), coalesce(operation_type, ''), coalesce(variant, ''),
           rating, helpful, accurate, relevant, fast
      FROM user_feedback WHERE kafka_topic = $1 AND kafka_partition = $2
"""
_FEEDBACK = f"""
    {_SAID} AND kafka_offset >= $3 AND kafka_offset < $4
    UNION {_SAID} AND model_id IS NULL AND ingested_at >= $5
    UNION {_SAID} AND (tenant_id, operation_id) IN (SELECT * FROM unnest($6::text[], $7::text[]))
"""


async def stored_position(pool: Pool, partition: Partition) -> int | None:
    """Where ingest stands in a partition."""
    async with pool.acquire() as connection:
        return await position(connection, partition)


async def minutes_stored(
    pool: Pool, partition: Partition, since: datetime
) -> list[tuple[str, int]]:
    """Tenant and start of every minute that a partition has anything in."""
    return [(row[0], row[1]) for row in await pool.fetch(_PLACES, *partition, since)]


async def evidence(
    pool: Pool,
    partition: Partition,
    next_offset: int,
    most_ahead: int,
    wanted: Sequence[Range],
    waiting: Mapping[bytes, Waiting],
) -> Evidence | None:
    """Minutes of these ranges, and what of them is not in cells that expect `next_offset`.

    `waiting`: feedback that those cells do not count yet, by digest.
    `None` when ingest has not come as far as the cells, or is over `most_ahead` records further, or
    only a row that was erased could say what the cells do not hold yet.
    """
    async with one_instant(pool) as connection:
        found = await position(connection, partition)
        if found is None or not next_offset <= found <= next_offset + most_ahead:
            return None
        if await connection.fetchval(_ERASED, *partition, next_offset, found):
            return None
        out = Evidence(found)
        times = (
            [one.tenant_id for one in wanted],
            [datetime.fromtimestamp(one.start, UTC) for one in wanted],
            [datetime.fromtimestamp(one.end, UTC) for one in wanted],
        )
        for row in await connection.fetch(_MINUTES, *partition, *times):
            key = CellKey(row["tenant_id"], row["start"], Series(*row[2:6]))
            out.minutes[key] = cell_of(row)
        rows = await connection.fetch(_OPERATIONS, *partition, next_offset, found)
        out.later = fold_operations(map(_priced, rows))
        await _add_feedback(out, connection, partition, next_offset, waiting)
    return out


async def _add_feedback(
    out: Evidence,
    connection: Session,
    partition: Partition,
    next_offset: int,
    waiting: Mapping[bytes, Waiting],
) -> None:
    now: datetime = await connection.fetchval("SELECT now()")
    rows = await connection.fetch(
        _FEEDBACK,
        *(*partition, next_offset, out.next_offset, now - WAITS_AT_MOST + timedelta(hours=1)),
        [one.tenant_id for one in waiting.values()],
        [one.operation_id for one in waiting.values()],
    )
    unsettled = set()
    for row in rows:
        at_us = microseconds(row["occurred_at"])
        live = (
            row["kafka_offset"] < next_offset
            and digest_of(row["tenant_id"], row["event_id"], at_us) not in waiting
        )
        place = (row["tenant_id"], minute_start(at_us))
        if row["model_id"] is None:
            if live:
                unsettled.add(place)
        elif not live:
            _add(out.later, CellKey(*place, Series(*row[4:8])), Judgement(*row[8:13]))
    out.unsettled = frozenset(unsettled)


def _add(cells: Cells, key: CellKey, judgement: Judgement) -> None:
    one: dict[str, int] = {}
    add_judgement(one, judgement)
    add_into(cells.setdefault(key, {}), one)


def _priced(row: Any) -> Priced:
    fields = dict(row)
    cost = fields.pop("cost_nano")
    # What was validated when it was stored is not validated again.
    return OperationEvent.model_construct(**fields), microseconds(row["occurred_at"]), cost
