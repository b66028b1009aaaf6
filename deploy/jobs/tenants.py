"""Tenants: whether they keep content."""

import asyncpg

from deploy.jobs.auditing import record
from shared.audit.chain import Entry
from shared.audit.recorder import Recorder


class NoTenantError(Exception):
    """There is no such tenant."""


async def set_content_free(dsn: str, tenant: str, *, is_on: bool, audit: Recorder) -> bool:
    """Let a tenant keep no texts from now on, or keep them again; answers what it was before."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            before = await connection.fetchval(
                "SELECT content_free FROM tenants WHERE tenant_id = $1 FOR UPDATE", tenant
            )
            if before is None:
                raise NoTenantError(f"there is no tenant {tenant!r}")
            await connection.execute(
                "UPDATE tenants SET content_free = $2 WHERE tenant_id = $1", tenant, is_on
            )
            was, now = {"content_free": before}, {"content_free": is_on}
            done = Entry("tenant.content_free", "tenant", tenant, was, now)
            await record(connection, audit, tenant, done)
    finally:
        await connection.close()
    return bool(before)
