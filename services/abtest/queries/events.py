"""SQL of events that concern tests."""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.abtest.domain.candidates import Judged
from services.abtest.domain.rows import Candidate, UnitKey
from shared.delivery.columns import columns_of, stage
from shared.delivery.postgres import Session

PORTION = 2_000
_SMALL = ("ok", "slow", "bin", "rating", "helpful", "accurate", "relevant", "fast")
_TYPES = {
    "test_id": "uuid",
    "event_id": "uuid",
    "occurred_at": "timestamptz",
    "counts_at": "timestamptz",
    "epoch": "integer",
    "is_crossed": "boolean",
    **dict.fromkeys(_SMALL, "smallint"),
    **dict.fromkeys(("ln", "tok", "cost", "conf"), "bigint"),
}
_COLUMNS = ", ".join(Candidate._fields)
_STAGED = {name: _TYPES.get(name, "text") for name in Candidate._fields}
# In the order of keys, so that two processes with the same events never wait for each other in a
# circle. Nearly all rows are new: those that are not are fewer to tell.
_INSERT = f"""
    WITH new AS (
        INSERT INTO ab_events ({_COLUMNS}) SELECT {_COLUMNS} FROM pg_temp.staged_ab_events
         ORDER BY tenant_id, test_id, event_id, occurred_at
        ON CONFLICT (tenant_id, test_id, event_id, occurred_at) DO NOTHING
        RETURNING test_id, event_id, occurred_at
    )
    SELECT s.test_id, s.event_id, s.occurred_at FROM pg_temp.staged_ab_events AS s
     WHERE NOT EXISTS (SELECT FROM new AS n WHERE n.event_id = s.event_id
                          AND n.test_id = s.test_id AND n.occurred_at = s.occurred_at)
"""
_OF_UNITS = f"""
    SELECT {", ".join(f"e.{name}" for name in Candidate._fields)}
      FROM unnest($1::text[], $2::uuid[], $3::text[]) AS k (tenant_id, test_id, unit)
      JOIN ab_events AS e
        ON e.tenant_id = k.tenant_id AND e.test_id = k.test_id AND e.unit = k.unit
"""


async def insert(
    connection: Session, rows: Sequence[Candidate]
) -> set[tuple[UUID, UUID, datetime]]:
    """Keep rows of different identities; answers those identities that were there before."""
    await stage(connection, "staged_ab_events", _STAGED, rows)
    found = await connection.fetch(_INSERT)
    return {(row[0], row[1], row[2]) for row in found}


async def of_units(
    connection: Session, keys: Collection[UnitKey]
) -> AsyncIterator[list[Candidate]]:
    """All rows of some units, in portions."""
    found = await connection.cursor(_OF_UNITS, *columns_of(keys, 3))
    while rows := await found.fetch(PORTION):
        yield [Candidate(*row) for row in rows]


async def judged(
    connection: Session, operations: Collection[tuple[str, str]]
) -> dict[tuple[str, str], list[Judged]]:
    """Operations by tenant and operation_id, as the tests that they concern hold them.

    An operation_id that was used twice means the earlier operation.
    """
    rows = await connection.fetch(
        """
        SELECT DISTINCT ON (e.tenant_id, e.operation_id, e.test_id)
               e.tenant_id, e.operation_id, e.test_id, e.unit, e.epoch, e.variant, e.counts_at
          FROM unnest($1::text[], $2::text[]) AS k (tenant_id, operation_id)
          JOIN ab_events AS e
            ON e.tenant_id = k.tenant_id AND e.operation_id = k.operation_id AND e.kind = 'o'
         ORDER BY e.tenant_id, e.operation_id, e.test_id, e.occurred_at, e.event_id
        """,
        *columns_of(operations, 2),
    )
    return grouped(rows)


def grouped(rows: Iterable[Any]) -> dict[tuple[str, str], list[Judged]]:
    """Rows of tenant, operation_id and what `Judged` holds, by the first two."""
    found: dict[tuple[str, str], list[Judged]] = {}
    for row in rows:
        found.setdefault((row[0], row[1]), []).append(Judged(*row[2:]))
    return found
