"""List, revoke and rotate API keys, as the owner of the installation."""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from deploy.jobs.auditing import record
from deploy.jobs.keys import KeyRequestError
from services.gateway.domain.api_keys import ID_LENGTH, SECRET_BYTES, new_key
from services.gateway.domain.audit import of_key
from services.gateway.domain.keys import (
    RotationWanted,
    key_view,
    refuse_ended,
    successor_ends_at,
)
from services.gateway.queries import keys as queries
from services.gateway.queries import objects
from shared.audit.recorder import Recorder
from shared.delivery.postgres import Session

ACTOR = "assay keys rotate"


async def list_keys(dsn: str, tenant: str | None, now: datetime) -> list[dict[str, Any]]:
    """Keys of a tenant, or of all, newest first."""
    async with _owner(dsn) as connection:
        rows = await connection.fetch(
            f"SELECT tenant_id, {queries.KEY} FROM api_keys WHERE $1::text IS NULL"
            " OR tenant_id = $1 ORDER BY created_at DESC, id DESC",
            tenant,
        )
    return [key_view(row, now) for row in rows]


async def revoke_key(
    dsn: str, named: str, now: datetime, audit: Recorder, *, force: bool
) -> dict[str, Any]:
    """End a key; the tenant's last one that manages keys only by force."""
    async with _owner(dsn) as connection, connection.transaction():
        tenant, row = await _found(connection, named)
        if not force and await queries.is_last_manager(connection, tenant, now, row):
            raise KeyRequestError(
                f"it is the last key of {tenant} that may manage keys; make another with"
                f" `assay keys create --role admin --tenant {tenant}` first, or give --force"
            )
        await queries.revoke(connection, tenant, row["id"], now)
        done = await objects.one(connection, queries.KEYS, tenant, row["id"])
        if row["revoked_at"] is None:
            await record(connection, audit, tenant, of_key("revoke", row, done))
        return _view(done, tenant, now)


async def rotate_key(
    dsn: str, named: str, now: datetime, wanted: RotationWanted, audit: Recorder
) -> dict[str, Any]:
    """A new key in place of an old one, which goes on for the overlap; whole this once."""
    made, identity = new_key(secrets.token_bytes(ID_LENGTH + SECRET_BYTES)), uuid4()
    async with _owner(dsn) as connection, connection.transaction():
        tenant, old = await _found(connection, named)
        refuse_ended(old, now)
        kept = (old["name"], old["role"], old["permissions"], made.secret_hash)
        ends_at = successor_ends_at(old, wanted, now)
        values: Sequence[Any] = (identity, made.key_id, *kept, ACTOR, ends_at)
        await queries.insert(connection, tenant, values)
        until = now + timedelta(seconds=wanted.overlap_s)
        await queries.replace(connection, tenant, old["id"], identity, until)
        successor = await objects.one(connection, queries.KEYS, tenant, identity)
        await record(connection, audit, tenant, of_key("rotate", old, successor))
        return _view(successor, tenant, now) | {"key": made.key}


async def _found(connection: Session, named: str) -> tuple[str, Any]:
    """A key by its id, by what it begins with, or whole; nobody else changes keys meanwhile."""
    plain = named.removeprefix("assay_").partition("_")[0]
    where = await connection.fetchrow(
        "SELECT tenant_id, id FROM api_keys WHERE key_id = $1 OR id = $2", plain, _uuid(named)
    )
    if where is None:
        raise KeyRequestError("there is no such key; see `assay keys list`")
    await objects.one_at_a_time(connection, where["tenant_id"])
    return where["tenant_id"], await objects.locked(
        connection, queries.KEYS, where["tenant_id"], where["id"]
    )


def _view(row: Any, tenant: str, now: datetime) -> dict[str, Any]:
    return {"tenant_id": tenant} | key_view(row, now)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@asynccontextmanager
async def _owner(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()
