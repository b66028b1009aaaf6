"""The audit log in Postgres, as it is read; rows are written by whoever changes something."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import NamedTuple

from services.gateway.domain.audit import Asked
from services.gateway.queries import audit as queries
from services.gateway.store.sessions import Sessions
from shared.audit.chain import Anchor, Entry, Head, Row

AT_ONCE = 500


class Opened(NamedTuple):
    """A whole chain as of an instant: where it ends, and its rows in portions."""

    as_of: datetime
    head: Head | None
    portions: AsyncIterator[Sequence[Row]]


class PostgresAudit:
    """One transaction per question."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def rows(
        self, tenant_id: str, asked: Asked, before: int | None, limit: int
    ) -> Sequence[Row]:
        """Rows that are asked for, newest first."""
        async with self._sessions.reading(tenant_id) as connection:
            return await queries.newest(connection, tenant_id, asked, before, limit)

    async def reads(self, tenant_id: str, done: Entry) -> None:
        """Somebody is about to read."""
        await self._sessions.record_read(tenant_id, done)

    @asynccontextmanager
    async def opened(self, tenant_id: str) -> AsyncIterator[Opened]:
        """All of a chain."""
        async with self._sessions.connected() as connection:
            as_of = await queries.now(connection)  # whatever was there by now will be seen
        async with self._sessions.reading(tenant_id) as connection:
            head = await queries.head(connection, tenant_id)
            cursor = await queries.opened(connection, tenant_id)

            async def portions() -> AsyncIterator[Sequence[Row]]:
                while rows := await queries.portion(cursor, AT_ONCE):
                    yield rows

            yield Opened(as_of, head, portions())

    async def heads(self) -> Sequence[Anchor]:
        """Where the chains of all tenants end."""
        async with self._sessions.connected() as connection:
            return await queries.all_heads(connection)
