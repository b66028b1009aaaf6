"""Postgres as `svc_api`: every query inside a transaction that knows its tenant."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.gateway.domain.api_keys import StoredKey
from services.gateway.domain.cursor import Cursor
from services.gateway.domain.keys import granted
from services.gateway.queries import reading as queries
from services.gateway.store.sessions import Sessions
from shared.measures.cells import Cell, Series


class PostgresReads:
    """What the gateway asks Postgres."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def find_key(self, key_id: str) -> StoredKey | None:
        """A key by its id, before any tenant is known."""
        async with self._sessions.connected() as connection:
            row = await connection.fetchrow("SELECT * FROM find_api_key($1)", key_id)
        if row is None:
            return None
        return StoredKey(
            row["tenant_id"],
            row["key_id"],
            granted(row["role"], frozenset(row["permissions"])),
            row["secret_hash"],
            row["expires_at"],
            row["revoked_at"],
            row["role"],
        )

    async def find_tenant(self, tenant_id: str) -> str | None:
        """A tenant, if it exists."""
        async with self._sessions.reading(tenant_id) as connection:
            found: str | None = await connection.fetchval(
                "SELECT tenant_id FROM tenants WHERE tenant_id = $1", tenant_id
            )
        return found

    async def operations(
        self, tenant_id: str, filters: Mapping[str, Any], after: Cursor | None, limit: int
    ) -> Sequence[Mapping[str, Any]]:
        """Operations, newest first."""
        async with self._sessions.reading(tenant_id) as connection:
            return await queries.operations(connection, tenant_id, filters, after, limit)

    async def operation(self, tenant_id: str, operation_id: str) -> Mapping[str, Any] | None:
        """The newest event of an operation's id."""
        async with self._sessions.reading(tenant_id) as connection:
            return await queries.operation(connection, tenant_id, operation_id)

    async def minutes(
        self, tenant_id: str, model_id: str | None, span: tuple[datetime, datetime], step_s: int
    ) -> dict[tuple[Series, datetime], Cell]:
        """Sums of minutes, by series and step."""
        async with self._sessions.reading(tenant_id) as connection:
            return await queries.minutes(connection, tenant_id, model_id, span, step_s)

    async def model_exists(self, tenant_id: str, model_id: str) -> bool:
        """Whether the tenant ever sent anything of this model."""
        async with self._sessions.reading(tenant_id) as connection:
            return await queries.model_exists(connection, tenant_id, model_id)

    async def ping(self) -> None:
        """Raise `AwayError` unless Postgres and its schema are there."""
        async with self._sessions.connected() as connection:
            await connection.fetchval("SELECT count(*) FROM consumer_fence")
