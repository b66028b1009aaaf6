"""SQL of what is known of a test, all shards together."""

from typing import Any
from uuid import UUID

from services.abtest.domain.sums import COLUMNS
from shared.delivery.postgres import Session

Rows = list[Any]

_SUMS = ", ".join(f"sum({name}) AS {name}" for name in COLUMNS)


async def arms(connection: Session, tenant_id: str, test_id: UUID) -> Rows:
    """Counts by arm."""
    return await connection.fetch(
        """
        SELECT epoch, variant, sum(units)::bigint AS units, sum(multiple)::bigint AS multiple,
               sum(operations)::bigint AS operations, sum(crossovers)::bigint AS crossovers,
               ARRAY[sum(r1), sum(r2), sum(r3), sum(r4), sum(r5)]::bigint[] AS ratings,
               min(first_at) AS first_at, max(last_at) AS last_at,
               max(as_of) AS as_of, sum(version)::bigint AS version
          FROM ab_arms WHERE tenant_id = $1 AND test_id = $2
         GROUP BY epoch, variant ORDER BY epoch, variant
        """,
        tenant_id,
        test_id,
    )


async def sums(connection: Session, tenant_id: str, test_id: UUID) -> Rows:
    """Sums by arm and metric."""
    return await connection.fetch(
        f"""
        SELECT epoch, variant, metric, {_SUMS}
          FROM ab_sums WHERE tenant_id = $1 AND test_id = $2
         GROUP BY epoch, variant, metric HAVING sum(n) <> 0
        """,
        tenant_id,
        test_id,
    )


async def bins(connection: Session, tenant_id: str, test_id: UUID) -> Rows:
    """Bins of response times by arm and group of units; one row a shard."""
    return await connection.fetch(
        "SELECT epoch, variant, grp, bins FROM ab_sketches WHERE tenant_id = $1 AND test_id = $2",
        tenant_id,
        test_id,
    )


async def days(connection: Session, tenant_id: str, test_id: UUID) -> Rows:
    """Units by the day on which they were first seen."""
    return await connection.fetch(
        """
        SELECT day, sum(units)::bigint AS units FROM ab_days
         WHERE tenant_id = $1 AND test_id = $2
         GROUP BY day HAVING sum(units) <> 0 ORDER BY day
        """,
        tenant_id,
        test_id,
    )
