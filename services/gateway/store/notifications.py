"""Channels, silences and deliveries in Postgres, as people see and change them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.gateway.domain.alerts import NameTakenError
from services.gateway.domain.audit import of_row
from services.gateway.domain.cursor import Cursor
from services.gateway.queries import notifications as queries
from services.gateway.queries import objects
from services.gateway.store.sessions import Sessions
from shared.notifications.channel import Channel

Row = asyncpg.Record


class PostgresNotifications:
    """One transaction per question or change."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def channels(self, tenant_id: str, after: Cursor | None, limit: int) -> Sequence[Row]:
        """Channels, newest first."""
        async with self._sessions.reading(tenant_id) as connection:
            return await objects.newest(connection, queries.CHANNELS, tenant_id, after, limit)

    async def channel(self, tenant_id: str, channel_id: UUID) -> Row | None:
        """One channel."""
        async with self._sessions.reading(tenant_id) as connection:
            return await objects.one(connection, queries.CHANNELS, tenant_id, channel_id)

    async def known_channels(self, tenant_id: str, wanted: Collection[UUID]) -> set[UUID]:
        """Those of some ids that are channels."""
        async with self._sessions.reading(tenant_id) as connection:
            return await queries.known_channels(connection, tenant_id, wanted)

    async def add_channel(
        self, tenant_id: str, channel_id: UUID, made: Channel, actor: str, most: int
    ) -> Row | None:
        """Keep a new channel, unless there are enough; raises `NameTakenError`."""
        try:
            async with self._sessions.writing(tenant_id) as connection:
                await objects.one_at_a_time(connection, tenant_id)
                if await queries.count_channels(connection, tenant_id) >= most:
                    return None
                row = await queries.insert_channel(connection, tenant_id, channel_id, made, actor)
                done = of_row("channel", "create", channel_id, after=row)
                await self._sessions.record(connection, tenant_id, done)
                return row
        except asyncpg.UniqueViolationError as error:
            raise NameTakenError from error

    async def delete_channel(self, tenant_id: str, channel_id: UUID) -> bool:
        """Remove a channel; false when there is none."""
        return await self._sessions.remove(tenant_id, queries.CHANNELS, "channel", channel_id)

    async def add_test(
        self, tenant_id: str, channel_id: UUID, delivery_id: UUID, at: datetime
    ) -> bool:
        """Ask notify to send a test; false when one is under way."""
        try:
            async with self._sessions.writing(tenant_id) as connection:
                await queries.insert_test(connection, tenant_id, channel_id, delivery_id, at)
                done = of_row("channel", "test", channel_id, after={"delivery_id": delivery_id})
                await self._sessions.record(connection, tenant_id, done)
        except asyncpg.UniqueViolationError:
            return False
        except asyncpg.ForeignKeyViolationError:
            return True  # the channel was removed meanwhile, and its tests with it
        return True

    async def delivery(self, tenant_id: str, delivery_id: UUID) -> Row | None:
        """One delivery."""
        async with self._sessions.reading(tenant_id) as connection:
            return await queries.delivery(connection, tenant_id, delivery_id)

    async def deliveries(
        self, tenant_id: str, channel_id: UUID, after: Cursor | None, limit: int
    ) -> Sequence[Row] | None:
        """What was told to a channel, newest first; `None` when there is no such channel."""
        async with self._sessions.reading(tenant_id) as connection:
            if await objects.one(connection, queries.CHANNELS, tenant_id, channel_id) is None:
                return None
            return await queries.deliveries(connection, tenant_id, channel_id, after, limit)

    async def silences(self, tenant_id: str, after: Cursor | None, limit: int) -> Sequence[Row]:
        """Silences, newest first."""
        async with self._sessions.reading(tenant_id) as connection:
            return await objects.newest(connection, queries.SILENCES, tenant_id, after, limit)

    async def silence(self, tenant_id: str, silence_id: UUID) -> Row | None:
        """One silence."""
        async with self._sessions.reading(tenant_id) as connection:
            return await objects.one(connection, queries.SILENCES, tenant_id, silence_id)

    async def add_silence(self, tenant_id: str, values: Sequence[Any], most: int) -> Row | None:
        """Keep a silence (id, matchers, start, end, comment, maker), unless there are enough."""
        async with self._sessions.writing(tenant_id) as connection:
            await objects.one_at_a_time(connection, tenant_id)
            if await queries.count_live_silences(connection, tenant_id) >= most:
                return None
            row = await queries.insert_silence(connection, tenant_id, values)
            done = of_row("silence", "create", row["silence_id"], after=row)
            await self._sessions.record(connection, tenant_id, done)
            return row

    async def delete_silence(self, tenant_id: str, silence_id: UUID) -> bool:
        """Remove a silence; false when there is none."""
        return await self._sessions.remove(tenant_id, queries.SILENCES, "silence", silence_id)

    async def live_alerts(self, tenant_id: str, most: int) -> Sequence[Row]:
        """Alerts that have not ended, newest first."""
        async with self._sessions.reading(tenant_id) as connection:
            return await queries.live_alerts(connection, tenant_id, most)
