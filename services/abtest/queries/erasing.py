"""SQL that takes units' names: whatever they counted for stays as it is."""

from collections.abc import Sequence
from datetime import datetime

from services.abtest.domain.rows import UnitKey
from shared.delivery.postgres import Session

# By each test of the tenant: units are found by their test only.
_OF_TENANT = """
    SELECT k.test_id, k.unit FROM ab_tests AS t
      JOIN {table} AS k ON k.tenant_id = t.tenant_id AND k.test_id = t.test_id AND k.unit = ANY($2)
     WHERE t.tenant_id = $1 ORDER BY k.test_id, k.unit
"""
_DID = """
    SELECT DISTINCT test_id, unit FROM ab_events
     WHERE tenant_id = $1 AND operation_id = $2 AND kind = 'o' AND occurred_at < $3
     ORDER BY test_id, unit
"""
_RENAME_EVENTS = """
    UPDATE ab_events
       SET unit = $4,
           event_id = CASE WHEN occurred_at < $5 THEN gen_random_uuid() ELSE event_id END,
           operation_id = CASE WHEN occurred_at < $5 THEN NULL ELSE operation_id END
     WHERE tenant_id = $1 AND test_id = $2 AND unit = $3
"""
_UNNAME_EVENTS = """
    UPDATE ab_events SET event_id = gen_random_uuid(), operation_id = NULL
     WHERE tenant_id = $1 AND test_id = $2 AND unit = $3 AND operation_id = $4 AND occurred_at < $5
"""


async def units_named(connection: Session, tenant_id: str, units: Sequence[str]) -> list[UnitKey]:
    """Units of a tenant's tests by their names."""
    rows = await connection.fetch(_OF_TENANT.format(table="ab_units"), tenant_id, units)
    return [UnitKey(tenant_id, row[0], row[1]) for row in rows]


async def pasts_named(connection: Session, tenant_id: str, units: Sequence[str]) -> list[UnitKey]:
    """Units of which something of before a test is known, by their names."""
    rows = await connection.fetch(_OF_TENANT.format(table="ab_past"), tenant_id, units)
    return [UnitKey(tenant_id, row[0], row[1]) for row in rows]


async def units_of(
    connection: Session, tenant_id: str, operation_id: str, before: datetime
) -> list[UnitKey]:
    """Units that did an operation."""
    rows = await connection.fetch(_DID, tenant_id, operation_id, before)
    return [UnitKey(tenant_id, row[0], row[1]) for row in rows]


async def lock(connection: Session, key: UnitKey) -> bool:
    """Nobody else changes a unit until the transaction ends; false when there is none."""
    found = await connection.fetchval(
        "SELECT true FROM ab_units WHERE tenant_id = $1 AND test_id = $2 AND unit = $3 FOR UPDATE",
        *key,
    )
    return bool(found)


async def rename(connection: Session, key: UnitKey, name: tuple[str, int], before: datetime) -> int:
    """Give a unit another name and cell; what it did before an instant is known by nothing else."""
    unit, cell = name
    done = await connection.execute(_RENAME_EVENTS, *key, unit, before)
    await connection.execute(
        "UPDATE ab_units SET unit = $4, cell = $5"
        " WHERE tenant_id = $1 AND test_id = $2 AND unit = $3",
        *(*key, unit, cell),
    )
    await connection.execute(
        "UPDATE ab_past SET unit = $4 WHERE tenant_id = $1 AND test_id = $2 AND unit = $3",
        *(*key, unit),
    )
    return int(done.split()[-1])


async def unname(connection: Session, key: UnitKey, operation_id: str, before: datetime) -> int:
    """Let a unit's rows of an operation say nothing of it."""
    done = await connection.execute(_UNNAME_EVENTS, *key, operation_id, before)
    return int(done.split()[-1])


async def remove_past(connection: Session, key: UnitKey) -> None:
    """Forget what somebody did before a test who is no unit of it."""
    await connection.execute(
        "DELETE FROM ab_past WHERE tenant_id = $1 AND test_id = $2 AND unit = $3", *key
    )


async def remove_waiting(connection: Session, tenant_id: str, operation_id: str) -> None:
    """Feedback on an operation that never comes."""
    await connection.execute(
        "DELETE FROM ab_waiting WHERE tenant_id = $1 AND operation_id = $2",
        *(tenant_id, operation_id),
    )


async def name_unit(connection: Session, tenant_id: str, digest: str, before: datetime) -> None:
    """Exposures of a unit from before an instant are erased too."""
    await connection.execute(
        """
        INSERT INTO erased_names AS n (tenant_id, digest, erased_before) VALUES ($1, $2, $3)
        ON CONFLICT (tenant_id, digest) DO UPDATE
           SET erased_before = greatest(n.erased_before, EXCLUDED.erased_before)
        """,
        *(tenant_id, digest, before),
    )
