"""How reliable raters are, reckoned in the night from sums to which only what changed is added.

A reliability moves only where it moves far enough to count, and then the rows of its rater are due:
so every row is always weighed with the reliabilities that are stored.
"""

import asyncio
from datetime import date, datetime

from asyncpg import Pool

from services.feedback.domain.raters import START, moved, reliabilities
from services.feedback.queries import due, nights, raters
from shared.delivery.postgres import LIMITS

PORTION = 1_000


class PostgresRaters:
    """Raters' sums and reliabilities."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def begin(self, today: date) -> None:
        """The first night comes after the first day."""
        async with self._pool.acquire() as connection:
            await nights.begin(connection, today)

    async def night(self, now: datetime) -> bool:
        """Reckon, unless that is done for this day, or somebody else is at it."""
        async with self._pool.acquire() as keeper, keeper.transaction():
            if not await keeper.fetchval(raters.ONE_NIGHT):
                return False
            if await nights.is_done(keeper, now.date()):
                return False
            await self.reckon(now)
            await nights.done(keeper, now.date())
        return True

    async def reckon(self, now: datetime) -> int:
        """Reckon now; answers how many raters moved."""
        async with self._pool.acquire() as connection:
            tenants = await raters.tenants(connection)
        for tenant_id in tenants:
            while await self._add(tenant_id) == PORTION:
                pass
        return sum([await self._move(tenant_id, now) for tenant_id in tenants])

    async def _add(self, tenant_id: str) -> int:
        """Add a portion of what is new to a tenant's sums, once."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(LIMITS)
            found = await raters.take_moved(connection, tenant_id, PORTION)
            await raters.add(connection, tenant_id, found)
        return len(found)

    async def _move(self, tenant_id: str, now: datetime) -> int:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(LIMITS)
            sums = await raters.sums_of(connection, tenant_id)
            before = await raters.known(connection, tenant_id)
            after = await asyncio.to_thread(reliabilities, sums)
            names = moved(before, after)
            if names:
                kept = {name: after.get(name, START) for name in sorted(names)}
                await raters.keep(connection, tenant_id, kept, now)
                await due.note(connection, await raters.operations_of(connection, tenant_id, names))
        return len(names)
