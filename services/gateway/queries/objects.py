"""SQL of what people make and remove: rules, channels, silences, whatever they hold."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from asyncpg import Record

from services.gateway.domain.cursor import Cursor
from shared.delivery.postgres import Session


class Table(NamedTuple):
    """Objects of one kind; each has a `tenant_id` and a `created_at`."""

    name: str
    identity: str
    columns: str
    """Those that are answered."""


async def one_at_a_time(connection: Session, tenant_id: str) -> None:
    """Whoever counts a tenant's objects before adding one waits for the other who does."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtext('assay.objects'), hashtext($1))", tenant_id
    )


async def newest(
    connection: Session, table: Table, tenant_id: str, after: Cursor | None, limit: int
) -> Sequence[Record]:
    """A tenant's objects, newest first."""
    return await connection.fetch(
        f"""
        SELECT {table.columns} FROM {table.name}
         WHERE tenant_id = $1
           AND ($2::timestamptz IS NULL OR (created_at, {table.identity}) < ($2, $3::uuid))
         ORDER BY created_at DESC, {table.identity} DESC LIMIT $4
        """,
        tenant_id,
        *(after or (None, None)),
        limit,
    )


async def one(connection: Session, table: Table, tenant_id: str, identity: UUID) -> Record | None:
    """One object."""
    return await connection.fetchrow(_one(table), tenant_id, identity)


async def locked(
    connection: Session, table: Table, tenant_id: str, identity: UUID
) -> Record | None:
    """One object, which nobody else changes until the transaction ends."""
    return await connection.fetchrow(f"{_one(table)} FOR UPDATE", tenant_id, identity)


async def remove(
    connection: Session, table: Table, tenant_id: str, identity: UUID
) -> Record | None:
    """Remove an object; answers what it was, `None` when there is none."""
    return await connection.fetchrow(
        f"""
        DELETE FROM {table.name} WHERE tenant_id = $1 AND {table.identity} = $2
        RETURNING {table.columns}
        """,
        tenant_id,
        identity,
    )


def _one(table: Table) -> str:
    return (
        f"SELECT {table.columns} FROM {table.name} WHERE tenant_id = $1 AND {table.identity} = $2"
    )
