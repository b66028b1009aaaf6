"""Changes of rows, told from where they were kept."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from asyncpg import Pool

from services.feedback.queries import training
from shared.delivery.faults import FAULTS

# Whoever stands still here lets nobody else tell.
IDLE_LIMIT = "SET LOCAL idle_in_transaction_session_timeout = '60s'"


class PostgresTelling:
    """Changes that the broker does not have yet."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def relaying(self, most: int) -> AsyncIterator[list[Any]]:
        """Changes to tell, if no other process is at it; marked when the block ends well."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(IDLE_LIMIT)
            found = await training.untold(connection, most)
            yield found
            if found:
                FAULTS.reach("feedback.told")
                await training.mark_told(connection, found)

    async def forget(self, before: datetime, most: int) -> int:
        """Remove what was told long ago; answers how much."""
        async with self._pool.acquire() as connection:
            return await training.forget_told(connection, before, most)
