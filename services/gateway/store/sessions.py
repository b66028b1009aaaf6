"""Transactions as `svc_api` that know their tenant; row level security does the rest."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg

from services.gateway.domain.audit import of_row
from services.gateway.domain.problems import AwayError, Problem
from services.gateway.queries import objects
from services.gateway.queries.objects import Table
from shared.audit.chain import Entry
from shared.audit.recorder import Recorder
from shared.audit.who import acting
from shared.delivery.postgres import Session
from shared.stores import LazyPostgres

STATEMENT_TIMEOUT = "SET LOCAL statement_timeout = '5s'"
AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a session that was ended while it was being given back
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedFunctionError,
    asyncpg.InvalidPasswordError,
    asyncpg.DeadlockDetectedError,  # undone whole; the same request may go through a moment later
)


class Sessions:
    """Sessions of one pool; whatever says that Postgres is away becomes `AwayError`."""

    def __init__(self, postgres: LazyPostgres, recorder: Recorder | None = None) -> None:
        """Without `recorder`, only what nobody is accountable for can be written."""
        self._postgres = postgres
        self._recorder = recorder

    @asynccontextmanager
    async def reading(self, tenant_id: str) -> AsyncIterator[Session]:
        """Read as a tenant: an answer of several statements is of one instant."""
        async with (
            self.connected() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            await set_tenant(connection, tenant_id)
            yield connection

    @asynccontextmanager
    async def writing(self, tenant_id: str) -> AsyncIterator[Session]:
        """Write as a tenant, whole or not at all."""
        async with self.connected() as connection, connection.transaction():
            await set_tenant(connection, tenant_id)
            yield connection

    async def record(self, connection: Session, tenant_id: str, done: Entry) -> None:
        """Tell the audit log, as the last statement of the transaction that does it."""
        if self._recorder is None:
            raise RuntimeError("something is to be told, and there is no audit log")
        await self._recorder.write(connection, tenant_id, acting(), done)

    async def remove(self, tenant_id: str, table: Table, kind: str, identity: UUID) -> bool:
        """Remove an object, and tell so; false when there is none."""
        async with self.writing(tenant_id) as connection:
            row = await objects.remove(connection, table, tenant_id, identity)
            if row is None:
                return False
            await self.record(connection, tenant_id, of_row(kind, "delete", identity, row))
            return True

    async def record_read(self, tenant_id: str, done: Entry) -> None:
        """Tell the audit log that somebody is about to read; else nobody reads."""
        async with self.writing(tenant_id) as connection:
            await self.record(connection, tenant_id, done)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Session]:
        """A connection that knows no tenant yet."""
        try:
            pool = await self._postgres.pool()
            async with pool.acquire(timeout=5) as connection:
                yield connection
        except asyncpg.DataError as error:
            detail = "A value cannot be stored or compared: a NUL, perhaps."
            raise Problem("invalid", detail) from error
        except AWAY as error:
            raise AwayError("postgres") from error


async def set_tenant(connection: Session, tenant_id: str) -> None:
    """Bind the running transaction to a tenant."""
    if not connection.is_in_transaction():
        raise RuntimeError("a tenant is set inside a transaction only")
    await connection.execute(STATEMENT_TIMEOUT)
    await connection.execute("SELECT set_config('app.tenant_id', $1, true)", tenant_id)
