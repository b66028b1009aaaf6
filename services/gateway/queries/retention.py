"""SQL of how long a tenant's data is kept."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from asyncpg import Record

from shared.delivery.postgres import Session


async def changed(connection: Session, tenant_id: str) -> Sequence[Record]:
    """What was ever said of a tenant's classes."""
    return await connection.fetch(
        "SELECT class, days, changed_at, changed_by FROM retention WHERE tenant_id = $1"
        " ORDER BY class",
        tenant_id,
    )


async def not_before(connection: Session) -> datetime:
    """When the installation begins to let go of anything."""
    at: datetime = await connection.fetchval("SELECT max(not_before) FROM retention_start")
    return at


async def put(connection: Session, tenant_id: str, days: Mapping[str, int], actor: str) -> None:
    """Keep these."""
    await connection.executemany(
        """
        INSERT INTO retention (tenant_id, class, days, changed_by) VALUES ($1, $2, $3, $4)
        ON CONFLICT (tenant_id, class) DO UPDATE
           SET days = excluded.days, changed_at = now(), changed_by = excluded.changed_by
        """,
        [(tenant_id, name, kept, actor) for name, kept in sorted(days.items())],
    )
