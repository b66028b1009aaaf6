"""Lanes and what is due on them: short transactions, none open while something is sent."""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from asyncpg import Pool

from services.notify.domain.deciding import Around
from services.notify.domain.delivery import Delivery, Target
from services.notify.domain.lane import Due, Lane, LostLaneError, Settled
from services.notify.queries import lanes as queries
from shared.delivery.postgres import LIMITS, Session

LEASE_S = 20.0  # longer than any request may take


class PostgresLanes:
    """Who sends to which channel, and what."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def take(self, holder: UUID, most: int, crowded: Collection[str]) -> list[Lane]:
        """Hold channels at which something is due, but none of the tenants that have enough."""
        async with self._pool.acquire() as connection:
            rows = await queries.take(connection, holder, LEASE_S, most, crowded)
        return [Lane(Target(*row), holder) for row in rows]

    async def due(self, lane: Lane) -> Due:
        """The first unfinished step of each alert that is due at the channel, at one instant."""
        place = _place(lane)
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            now: datetime = await connection.fetchval("SELECT now()")
            around = Around(
                now,
                await queries.silences(connection, place[0]),
                await queries.criticals(connection, place),
            )
            return Due(await queries.due(connection, place), around)

    async def begin(self, lane: Lane, deliveries: Iterable[Delivery]) -> None:
        """Mark deliveries as being sent, and hold the lane on; raises `LostLaneError`."""
        async with self._held(lane) as connection:
            ids = sorted(one.delivery_id for one in deliveries)
            await queries.begin(connection, lane.target.tenant_id, ids)

    async def settle(self, lane: Lane, settled: Sequence[Settled]) -> None:
        """Write down what became of deliveries; raises `LostLaneError`."""
        async with self._held(lane) as connection:
            await queries.settle(connection, lane.target.tenant_id, sorted(settled))

    async def leave(self, lane: Lane, pace_s: float) -> None:
        """Let go of the lane; nobody sends to it for so long."""
        async with self._pool.acquire() as connection:
            await queries.let_go(connection, _place(lane), lane.holder, pace_s)

    async def remove_old(self, before: datetime, most: int) -> int:
        """Remove silences and deliveries that ended long ago; answers how many of the latter."""
        async with self._pool.acquire() as connection:
            await queries.remove_old_silences(connection, before)
            return await queries.remove_old(connection, before, most)

    async def backlog(self) -> tuple[int, float]:
        """How many deliveries wait, and how long the oldest has (s)."""
        async with self._pool.acquire() as connection:
            return await queries.backlog(connection)

    @asynccontextmanager
    async def _held(self, lane: Lane) -> AsyncIterator[Session]:
        """A transaction that ends by holding the lane on: its lease is fresh when it commits.

        The channel's row comes first: whoever removes a channel locks it before its deliveries.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(LIMITS)
            if not await queries.is_held(connection, _place(lane), lane.holder):
                raise LostLaneError(str(lane.target.channel_id))
            yield connection
            await queries.hold(connection, _place(lane), LEASE_S)


def _place(lane: Lane) -> tuple[str, UUID]:
    return lane.target.tenant_id, lane.target.channel_id
