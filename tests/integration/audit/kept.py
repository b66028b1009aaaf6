"""Chains as they are kept, and how tests write and look at them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from shared.audit.chain import Entry, Head, Row, Verdict, Verifier
from shared.audit.who import Who
from shared.clock import utc_now
from tests.support.system import AUDIT, querying

WHO = Who("key:test", "admin", "request")
COLUMNS = ", ".join(Row._fields)


def entry(number: int) -> Entry:
    return Entry("silence.create", "silence", f"s-{number}", None, {"n": number, "comment": "mine"})


async def act(dsn: str, tenant: str, *numbers: int) -> None:
    """Do something so many times, each in a transaction of its own."""
    connection = await asyncpg.connect(dsn)
    try:
        for number in numbers:
            async with connection.transaction():
                await connection.execute("SELECT set_config('app.tenant_id', $1, true)", tenant)
                await AUDIT.write(connection, tenant, WHO, entry(number))
                await asyncio.sleep(0)
    finally:
        await connection.close()


async def kept(dsn: str, tenant: str) -> tuple[list[Row], Head | None]:
    """A chain and its head, as the superuser sees them."""
    async with querying(dsn) as run:
        rows = await run(
            f"SELECT {COLUMNS} FROM audit_log WHERE tenant_id = $1 ORDER BY sequence", tenant
        )
        heads = await run("SELECT sequence, row_hash FROM audit_heads WHERE tenant_id = $1", tenant)
    return [Row(*row) for row in rows], Head(*heads[0]) if heads else None


async def verdict(dsn: str, tenant: str) -> Verdict:
    """What comes of verifying a chain."""
    rows, head = await kept(dsn, tenant)
    verifier = Verifier(tenant, AUDIT.keys)
    for row in rows:
        verifier.add(row)
    return verifier.end(head, utc_now())


@asynccontextmanager
async def acting_as(dsn: str, tenant: str) -> AsyncIterator[asyncpg.Connection]:
    """The gateway's role in a transaction of a tenant."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute("SELECT set_config('app.tenant_id', $1, true)", tenant)
            yield connection
    finally:
        await connection.close()
