"""SQL of training rows: lists, one, and those that somebody takes out for good."""

from collections.abc import Sequence
from uuid import UUID

from asyncpg import Record

from services.gateway.domain.cursor import Cursor
from shared.delivery.postgres import Session
from shared.training.filters import READY, RowFilters, clauses
from shared.training.stored import COLUMNS

ROW = f"SELECT {COLUMNS} FROM model_training_data AS r WHERE r.tenant_id = $1 AND {READY}"


async def rows(
    connection: Session, tenant_id: str, filters: RowFilters, after: Cursor | None, limit: int
) -> Sequence[Record]:
    """Rows that are ready, newest first."""
    found, values = clauses(filters, 5)
    asked = f"""
        {" AND ".join([ROW, *found])}
           AND ($2::timestamptz IS NULL OR (r.occurred_at, r.row_id) < ($2, $3::uuid))
         ORDER BY r.occurred_at DESC, r.row_id DESC LIMIT $4
    """
    return await connection.fetch(asked, tenant_id, *(after or (None, None)), limit, *values)


async def row(connection: Session, tenant_id: str, row_id: UUID) -> Record | None:
    """One row that is ready."""
    return await connection.fetchrow(f"{ROW} AND r.row_id = $2", tenant_id, row_id)


async def block(connection: Session, tenant_id: str, row_id: UUID, actor: str) -> str | None:
    """Take a row out for good; answers its operation, `None` when no such row is ready."""
    found: str | None = await connection.fetchval(
        f"""
        INSERT INTO training_blocks (tenant_id, row_id, operation_id, blocked_by)
        SELECT r.tenant_id, r.row_id, r.operation_id, $3 FROM model_training_data AS r
         WHERE r.tenant_id = $1 AND r.row_id = $2 AND {READY}
        ON CONFLICT DO NOTHING RETURNING operation_id
        """,
        tenant_id,
        row_id,
        actor,
    )
    return found


async def note_due(connection: Session, tenant_id: str, operation_id: str, shard: int) -> None:
    """Have an operation's rows made anew."""
    await connection.execute(
        "INSERT INTO feedback_due (tenant_id, operation_id, shard) VALUES ($1, $2, $3)",
        *(tenant_id, operation_id, shard),
    )
