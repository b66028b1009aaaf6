"""API keys in Postgres, as people manage them."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from services.gateway.domain.audit import of_key
from services.gateway.domain.cursor import Cursor
from services.gateway.domain.keys import LastAdminKeyError
from services.gateway.queries import keys as queries
from services.gateway.queries import objects
from services.gateway.store.sessions import Sessions

USED_TO = timedelta(minutes=5)

Row = asyncpg.Record


class PostgresKeys:
    """One transaction per question or change."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def keys(self, tenant_id: str, after: Cursor | None, limit: int) -> Sequence[Row]:
        """Keys, newest first."""
        async with self._sessions.reading(tenant_id) as connection:
            return await objects.newest(connection, queries.KEYS, tenant_id, after, limit)

    async def key(self, tenant_id: str, identity: UUID) -> Row | None:
        """One key."""
        async with self._sessions.reading(tenant_id) as connection:
            return await objects.one(connection, queries.KEYS, tenant_id, identity)

    async def add(
        self, tenant_id: str, values: Sequence[Any], now: datetime, most: int
    ) -> Row | None:
        """Keep a new key, unless there are enough."""
        async with self._sessions.writing(tenant_id) as connection:
            await objects.one_at_a_time(connection, tenant_id)
            if await queries.count_live(connection, tenant_id, now) >= most:
                return None
            await queries.insert(connection, tenant_id, values)
            made = await objects.one(connection, queries.KEYS, tenant_id, values[0])
            await self._sessions.record(connection, tenant_id, of_key("create", None, made))
            return made

    async def revoke(self, tenant_id: str, identity: UUID, now: datetime) -> Row | None:
        """End a key; `None` when there is none. Raises `LastAdminKeyError`."""
        async with self._sessions.writing(tenant_id) as connection:
            # Two who revoke each other's key must not both find the other there.
            await objects.one_at_a_time(connection, tenant_id)
            row = await objects.locked(connection, queries.KEYS, tenant_id, identity)
            if row is None or row["revoked_at"] is not None:
                return row
            if await queries.is_last_manager(connection, tenant_id, now, row):
                raise LastAdminKeyError
            await queries.revoke(connection, tenant_id, identity, now)
            revoked = await objects.one(connection, queries.KEYS, tenant_id, identity)
            await self._sessions.record(connection, tenant_id, of_key("revoke", row, revoked))
            return row

    async def rotate(
        self,
        tenant_id: str,
        identity: UUID,
        successor: Callable[[Row], tuple[Sequence[Any], datetime]],
    ) -> Row | None:
        """Replace a key; `successor` says of the old one what the new one is, or refuses."""
        async with self._sessions.writing(tenant_id) as connection:
            await objects.one_at_a_time(connection, tenant_id)
            row = await objects.locked(connection, queries.KEYS, tenant_id, identity)
            if row is None:
                return None
            values, until = successor(row)
            await queries.insert(connection, tenant_id, values)
            await queries.replace(connection, tenant_id, identity, values[0], until)
            made = await objects.one(connection, queries.KEYS, tenant_id, values[0])
            await self._sessions.record(connection, tenant_id, of_key("rotate", row, made))
            return made

    async def used(self, tenant_id: str, key_ids: Collection[str], at: datetime) -> None:
        """Note that keys were used, to five minutes."""
        async with self._sessions.writing(tenant_id) as connection:
            await queries.used(connection, tenant_id, key_ids, at, at - USED_TO)
