"""Postgres as `svc_api`: every query inside a transaction that knows its tenant."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg

from services.gateway import queries
from services.gateway.domain.api_keys import StoredKey
from services.gateway.domain.cursor import Cursor
from services.gateway.domain.problems import AwayError
from shared.delivery.postgres import Session
from shared.measures.cells import Cell, Series
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
    asyncpg.InvalidPasswordError,
)


class PostgresReads:
    """What the gateway asks Postgres."""

    def __init__(self, postgres: LazyPostgres) -> None:
        self._postgres = postgres

    async def find_key(self, key_id: str) -> StoredKey | None:
        """A key by its id, before any tenant is known."""
        async with self._connected() as connection:
            row = await connection.fetchrow("SELECT * FROM find_api_key($1)", key_id)
        if row is None:
            return None
        return StoredKey(
            row["tenant_id"],
            row["key_id"],
            frozenset(row["permissions"]),
            row["secret_hash"],
            row["expires_at"],
            row["revoked_at"],
        )

    async def operations(
        self, tenant_id: str, filters: Mapping[str, Any], after: Cursor | None, limit: int
    ) -> Sequence[Mapping[str, Any]]:
        """Operations, newest first."""
        async with self._as_tenant(tenant_id) as connection:
            return await queries.operations(connection, tenant_id, filters, after, limit)

    async def operation(self, tenant_id: str, operation_id: str) -> Mapping[str, Any] | None:
        """The newest event of an operation's id."""
        async with self._as_tenant(tenant_id) as connection:
            return await queries.operation(connection, tenant_id, operation_id)

    async def minutes(
        self, tenant_id: str, model_id: str | None, span: tuple[datetime, datetime], step_s: int
    ) -> dict[tuple[Series, datetime], Cell]:
        """Sums of minutes, by series and step."""
        async with self._as_tenant(tenant_id) as connection:
            return await queries.minutes(connection, tenant_id, model_id, span, step_s)

    async def model_exists(self, tenant_id: str, model_id: str) -> bool:
        """Whether the tenant ever sent anything of this model."""
        async with self._as_tenant(tenant_id) as connection:
            return await queries.model_exists(connection, tenant_id, model_id)

    async def ping(self) -> None:
        """Raise `AwayError` unless Postgres and its schema are there."""
        async with self._connected() as connection:
            await connection.fetchval("SELECT count(*) FROM consumer_fence")

    @asynccontextmanager
    async def _as_tenant(self, tenant_id: str) -> AsyncIterator[Session]:
        # An answer of several statements is of one instant.
        async with (
            self._connected() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            await set_tenant(connection, tenant_id)
            yield connection

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Session]:
        try:
            pool = await self._postgres.pool()
            async with pool.acquire(timeout=5) as connection:
                yield connection
        except AWAY as error:
            raise AwayError("postgres") from error


async def set_tenant(connection: Session, tenant_id: str) -> None:
    """Bind the running transaction to a tenant; row level security does the rest."""
    if not connection.is_in_transaction():
        raise RuntimeError("a tenant is set inside a transaction only")
    await connection.execute(STATEMENT_TIMEOUT)
    await connection.execute("SELECT set_config('app.tenant_id', $1, true)", tenant_id)
