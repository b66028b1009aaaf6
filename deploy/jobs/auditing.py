"""What jobs tell the audit log, and what people take out of it."""

import os
import pwd
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncpg

from shared.audit.chain import INSTALLATION, Entry, Head, Row
from shared.audit.exports import first_line, last_line, line_of
from shared.audit.recorder import Recorder
from shared.audit.who import Who
from shared.delivery.postgres import Session

COLUMNS = ", ".join(Row._fields)
AT_ONCE = 1_000
OWN_ONLY = 0o600


class UnknownTenantError(Exception):
    """Nobody of this name was ever told of."""


def whoever() -> Who:
    """The person at this machine, as the operating system knows them."""
    uid = os.getuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = f"uid {uid}"
    return Who(f"cli:{name}@{socket.gethostname()}")


async def record(connection: Session, audit: Recorder, tenant_id: str, done: Entry) -> None:
    """Tell the log within the running transaction, which is bound to a chain by it."""
    await connection.execute("SELECT set_config('app.tenant_id', $1, true)", tenant_id)
    await audit.write(connection, tenant_id, whoever(), done)


async def record_for(connection: Session, audit: Recorder, named: str | None, done: Entry) -> None:
    """Tell the chain of the tenant that is named, if there is one, else the installation's."""
    tenant: str = await connection.fetchval(
        "SELECT coalesce((SELECT tenant_id FROM tenants WHERE tenant_id = $1), $2)",
        named,
        INSTALLATION,
    )
    await record(connection, audit, tenant, done)


async def record_proof_key(dsn: str, audit: Recorder, tenant_id: str, version: str) -> None:
    """Tell that somebody takes out the key that proves a tenant."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            done = Entry("key.tenant_proof", "tenant", tenant_id, None, {"version": version})
            await record_for(connection, audit, tenant_id, done)
    finally:
        await connection.close()


async def record_alone(dsn: str, audit: Recorder, tenant_id: str, done: Entry) -> None:
    """Tell the log of what no transaction of Postgres holds."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await record(connection, audit, tenant_id, done)
    finally:
        await connection.close()


async def export_log(
    dsn: str, tenant_id: str, path: Path, audit: Recorder, tell: Callable[[int], None]
) -> int:
    """Write a chain to a file that its owner alone may read; answers how many rows it has.

    That somebody takes it out is its last row. Raises `UnknownTenantError`.
    """
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await _refuse_unknown(connection, tenant_id)
            done = Entry("audit.export", "audit_log", tenant_id)
            await record(connection, audit, tenant_id, done)
        return await _written(connection, tenant_id, path, audit, tell)
    finally:
        await connection.close()


async def _refuse_unknown(connection: Session, tenant_id: str) -> None:
    """A name that was misspelt must not begin a chain, which would then verify."""
    is_known = tenant_id == INSTALLATION or await connection.fetchval(
        "SELECT EXISTS (SELECT FROM tenants WHERE tenant_id = $1)"
        " OR EXISTS (SELECT FROM audit_heads WHERE tenant_id = $1)",
        tenant_id,
    )
    if not is_known:
        raise UnknownTenantError(f"there is no tenant {tenant_id!r}, and never was")


async def _written(
    connection: asyncpg.Connection,
    tenant_id: str,
    path: Path,
    audit: Recorder,
    tell: Callable[[int], None],
) -> int:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWN_ONLY)
    rows = 0
    with os.fdopen(descriptor, "wb") as file:
        # Before the snapshot: whatever was anchored by now is in it.
        as_of = await connection.fetchval("SELECT clock_timestamp()")
        file.write(first_line(tenant_id))
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            async for row in _rows(connection, tenant_id):
                file.write(line_of(row))
                rows += 1
                tell(rows)
            found = await connection.fetchrow(
                "SELECT sequence, row_hash FROM audit_heads WHERE tenant_id = $1", tenant_id
            )
        head = None if found is None else Head(*found)
        file.write(last_line(tenant_id, head, as_of, audit.keys))
    return rows


async def _rows(connection: asyncpg.Connection, tenant_id: str) -> AsyncIterator[Row]:
    asked = f"SELECT {COLUMNS} FROM audit_log WHERE tenant_id = $1 ORDER BY sequence"
    async for found in connection.cursor(asked, tenant_id, prefetch=AT_ONCE):
        yield Row(*found)
