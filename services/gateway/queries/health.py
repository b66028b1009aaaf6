"""SQL of limits of health, and of what became of models."""

from collections.abc import Sequence

from asyncpg import Record

from services.gateway.domain.cursor import Cursor
from services.gateway.domain.health import HistoryFilters, Part
from shared.delivery.postgres import Session
from shared.health.limits import OF_TENANT

CHANGE = "change_id, at, environment, operation_type, status, before, reasons, measures"


async def limits(
    connection: Session, tenant_id: str, model_id: str | None = None
) -> Sequence[Record]:
    """What was given for a tenant and for one of its models, or for all."""
    return await connection.fetch(
        """
        SELECT model_id, body, created_at, created_by, updated_at, updated_by FROM health_limits
         WHERE tenant_id = $1 AND ($2::text[] IS NULL OR model_id = ANY($2))
        """,
        tenant_id,
        None if model_id is None else [OF_TENANT, model_id],
    )


async def count_others(connection: Session, tenant_id: str, model_id: str) -> int:
    """How many other models of a tenant have limits of their own."""
    count = await connection.fetchval(
        "SELECT count(*) FROM health_limits WHERE tenant_id = $1 AND model_id <> ALL($2)",
        tenant_id,
        [OF_TENANT, model_id],
    )
    return int(count)


async def put_limits(
    connection: Session, tenant_id: str, model_id: str, body: str, actor: str
) -> None:
    """Keep limits in the place of those that there were."""
    await connection.execute(
        """
        INSERT INTO health_limits (tenant_id, model_id, body, created_by, updated_by)
        VALUES ($1, $2, $3, $4, $4)
        ON CONFLICT (tenant_id, model_id) DO UPDATE
           SET body = excluded.body, updated_at = now(), updated_by = excluded.updated_by
        """,
        tenant_id,
        model_id,
        body,
        actor,
    )


async def remove_limits(connection: Session, tenant_id: str, model_id: str) -> bool:
    """Forget limits; false when there are none."""
    done = await connection.fetchval(
        "DELETE FROM health_limits WHERE tenant_id = $1 AND model_id = $2 RETURNING true",
        tenant_id,
        model_id,
    )
    return bool(done)


async def changes(
    connection: Session,
    of: tuple[str, str],
    asked: HistoryFilters,
    after: Cursor | None,
    limit: int,
) -> Sequence[Record]:
    """Changes of status, newest first, `of` a tenant's model."""
    return await connection.fetch(
        f"""
        SELECT {CHANGE} FROM model_status_changes
         WHERE tenant_id = $1 AND model_id = $2
           AND ($3::text IS NULL OR environment = $3)
           AND ($4::text IS NULL OR operation_type = $4)
           AND ($5::timestamptz IS NULL OR at >= $5)
           AND ($6::timestamptz IS NULL OR at < $6)
           AND (NOT $7::bool OR environment IS NULL)
           AND ($8::timestamptz IS NULL OR (at, change_id) < ($8, $9::uuid))
         ORDER BY at DESC, change_id DESC LIMIT $10
        """,
        *(*of, *asked, *(after or (None, None)), limit),
    )


async def has_changed(connection: Session, tenant_id: str, model_id: str) -> bool:
    """Whether any change of a model is known: it outlives the minutes."""
    return bool(
        await connection.fetchval(
            "SELECT EXISTS (SELECT FROM model_status_changes"
            " WHERE tenant_id = $1 AND model_id = $2)",
            tenant_id,
            model_id,
        )
    )


async def last_changes(
    connection: Session, tenant_id: str, model_id: str, parts: Sequence[Part]
) -> Sequence[Record]:
    """The last change of each of some parts of a model."""
    return await connection.fetch(
        """
        SELECT last.environment, last.operation_type, last.status, last.at
          FROM unnest($3::text[], $4::text[]) AS part (environment, operation_type)
         CROSS JOIN LATERAL (
               SELECT * FROM model_status_changes AS one
                WHERE one.tenant_id = $1 AND one.model_id = $2
                  AND one.part = status_part(part.environment, part.operation_type)
                ORDER BY at DESC, change_id DESC LIMIT 1) AS last
        """,
        tenant_id,
        model_id,
        *map(list, zip(*parts, strict=True)),
    )
