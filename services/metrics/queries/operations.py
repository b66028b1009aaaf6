"""What metrics asks Postgres: tenants, and which series an operation belongs to."""

from collections.abc import Mapping, Sequence

from asyncpg import Pool

from shared.measures.cells import Series

OperationKey = tuple[str, str]  # tenant, operation


async def tenants(pool: Pool) -> Mapping[str, bool]:
    """All tenants, and whether they keep no content."""
    rows = await pool.fetch("SELECT tenant_id, content_free FROM tenants")
    return {row["tenant_id"]: row["content_free"] for row in rows}


async def series_of_operations(
    pool: Pool, wanted: Sequence[OperationKey]
) -> dict[OperationKey, Series]:
    """The series of the newest operation of each id that is stored."""
    rows = await pool.fetch(
        """
        SELECT DISTINCT ON (o.tenant_id, o.operation_id)
               o.tenant_id, o.operation_id, o.model_id, o.environment, o.operation_type,
               coalesce(o.variant, '') AS variant
          FROM ai_model_operations AS o
          JOIN unnest($1::text[], $2::text[]) AS wanted (tenant_id, operation_id)
            ON o.tenant_id = wanted.tenant_id AND o.operation_id = wanted.operation_id
         ORDER BY o.tenant_id, o.operation_id, o.occurred_at DESC
        """,
        [key[0] for key in wanted],
        [key[1] for key in wanted],
    )
    return {(row[0], row[1]): Series(*row[2:]) for row in rows}
