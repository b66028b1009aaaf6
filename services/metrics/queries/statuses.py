"""What metrics asks Postgres of health: limits, the last changes, and where new ones go."""

from collections.abc import Sequence
from datetime import timedelta

from asyncpg import Pool, Record
from pydantic_core import to_json

from services.metrics.domain.status import Part, StatusChange
from shared.health.limits import LimitsRow

# Redis forgets a second; then the restart, and two looks.
REPEATED_WITHIN = timedelta(minutes=5)


async def limits(pool: Pool) -> list[LimitsRow]:
    """Every tenant's limits as they are kept."""
    rows = await pool.fetch(
        "SELECT tenant_id, model_id, body FROM health_limits ORDER BY tenant_id, model_id"
    )
    return [(row["tenant_id"], row["model_id"], row["body"]) for row in rows]


async def last_changes(pool: Pool, parts: Sequence[Part]) -> Sequence[Record]:
    """The last change of each part that ever had one."""
    return await pool.fetch(
        """
        SELECT last.tenant_id, last.model_id, last.environment, last.operation_type,
               last.at, last.status, last.reasons, last.measures
          FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
            AS part (tenant_id, model_id, environment, operation_type)
         CROSS JOIN LATERAL (
               SELECT * FROM model_status_changes AS one
                WHERE one.tenant_id = part.tenant_id AND one.model_id = part.model_id
                  AND one.part = status_part(part.environment, part.operation_type)
                ORDER BY at DESC, change_id DESC LIMIT 1) AS last
        """,
        *map(list, zip(*parts, strict=True)),
    )


async def insert_changes(pool: Pool, changes: Sequence[StatusChange]) -> None:
    """Add to the history, each once, unless the part was told to be so just before.

    What Redis forgot in its last second is seen again, and would be a change from a status to
    itself. If it is seen only much later, it is no repeat: the part was not so in between.
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.executemany(
            """
            INSERT INTO model_status_changes
                   (tenant_id, change_id, model_id, environment, operation_type,
                    at, status, before, reasons, measures)
            SELECT $1, $2, $3, $4::text, $5::text, $6, $7, $8, $9, $10
             WHERE $7 IS DISTINCT FROM (
                   SELECT status FROM model_status_changes
                    WHERE tenant_id = $1 AND model_id = $3 AND part = status_part($4, $5)
                      AND at <= $6 AND at > $6::timestamptz - $11::interval
                    ORDER BY at DESC, change_id DESC LIMIT 1)
            ON CONFLICT DO NOTHING
            """,
            [(*_row(one), REPEATED_WITHIN) for one in changes],
        )


def _row(one: StatusChange) -> tuple[object, ...]:
    return (
        *(one.tenant_id, one.change_id, one.model_id, one.environment, one.operation_type),
        *(one.at, one.status.value, one.before.value if one.before else None),
        to_json(one.reasons).decode(),
        to_json(one.measures).decode(),
    )
