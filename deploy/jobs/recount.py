"""Count stored rows anew, and hold the stored minutes against that."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, NamedTuple

from services.metrics.queries.snapshot import MEASURES, Session, cell_of
from shared.codec import microseconds
from shared.delivery.plan import Partition
from shared.events.operation import OperationEvent
from shared.measures.cells import CellKey, Cells, Series, add_into
from shared.measures.fold import Judgement, add_judgement, fold_operations, minute_start

PORTION = 5_000

_OPERATIONS = """
    SELECT kafka_topic, kafka_partition, tenant_id, occurred_at, model_id, environment,
           operation_type, variant, success, response_time_ms, input_tokens, output_tokens,
           cached_input_tokens, reasoning_tokens, confidence, error_type, cost_nano
      FROM ai_model_operations WHERE occurred_at >= $1
"""
_FEEDBACK = """
    SELECT kafka_topic, kafka_partition, tenant_id, occurred_at, model_id,
           coalesce(environment, ''), coalesce(operation_type, ''), coalesce(variant, ''),
           rating, helpful, accurate, relevant, fast
      FROM user_feedback WHERE occurred_at >= $1 AND model_id IS NOT NULL
"""
_MINUTES = f"""
    SELECT topic, partition, tenant_id, extract(epoch FROM minute)::bigint AS start, model_id,
           environment, operation_type, variant, distribution, {", ".join(MEASURES)}
      FROM operation_rollup_minute WHERE minute >= $1
"""


_ERASED = _MINUTES.replace("operation_rollup_minute", "erased_rows_minute")


class Recount(NamedTuple):
    """What came of counting rows anew."""

    rows: int
    minutes: int
    differences: list[tuple[Partition, CellKey, dict[str, int]]]
    """Partition, cell, and what its stored minute lacks (negative: has too much)."""


async def recount(connection: Session, since: datetime) -> Recount:
    """Compare minutes with their rows, both as of one instant; `since` is the start of a minute."""
    counted: dict[Partition, Cells] = {}
    rows = 0
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        async for portion in _portions(connection, _OPERATIONS, since):
            rows += len(portion)
            _add_operations(counted, portion)
        async for portion in _portions(connection, _FEEDBACK, since):
            rows += len(portion)
            _add_feedback(counted, portion)
        # Rows that were erased count on: what they were is kept with their deletion.
        async for partition, key, cell in _cells(connection, _ERASED, since):
            add_into(counted.setdefault(partition, {}).setdefault(key, {}), cell)
        stored: dict[Partition, Cells] = {}
        async for partition, key, cell in _cells(connection, _MINUTES, since):
            stored.setdefault(partition, {})[key] = cell
    minutes = sum(map(len, stored.values()))
    return Recount(rows, minutes, list(_differences(counted, stored)))


async def _cells(
    connection: Session, statement: str, since: datetime
) -> AsyncIterator[tuple[Partition, CellKey, dict[str, int]]]:
    async for row in connection.cursor(statement, since, prefetch=PORTION):
        key = CellKey(row["tenant_id"], row["start"], Series(*row[4:8]))
        yield Partition(*row[:2]), key, cell_of(row)


async def _portions(
    connection: Session, statement: str, since: datetime
) -> AsyncIterator[list[Any]]:
    cursor = await connection.cursor(statement, since)
    while portion := await cursor.fetch(PORTION):
        yield portion


def _add_operations(counted: dict[Partition, Cells], rows: list[Any]) -> None:
    by_partition: dict[Partition, list[Any]] = {}
    for row in rows:
        by_partition.setdefault(Partition(*row[:2]), []).append(row)
    for partition, some in by_partition.items():
        total = counted.setdefault(partition, {})
        cells = fold_operations(
            (
                OperationEvent.model_construct(**dict(row)),
                microseconds(row["occurred_at"]),
                row["cost_nano"],
            )
            for row in some
        )
        for key, cell in cells.items():
            add_into(total.setdefault(key, {}), cell)


def _add_feedback(counted: dict[Partition, Cells], rows: list[Any]) -> None:
    for row in rows:
        minute = minute_start(microseconds(row["occurred_at"]))
        key = CellKey(row["tenant_id"], minute, Series(*row[4:8]))
        cells = counted.setdefault(Partition(*row[:2]), {})
        add_judgement(cells.setdefault(key, {}), Judgement(*row[8:13]))


def _differences(counted: dict[Partition, Cells], stored: dict[Partition, Cells]) -> Any:
    for partition in sorted(counted.keys() | stored.keys()):
        right, held = counted.get(partition, {}), stored.get(partition, {})
        for key in sorted(right.keys() | held.keys()):
            lacking = Counter(right.get(key, {}))
            lacking.subtract(held.get(key, {}))
            if any(lacking.values()):
                yield partition, key, {name: value for name, value in lacking.items() if value}
