"""What becomes due by time alone, what is missing for long, and how much there is to do."""

from datetime import datetime, timedelta

from asyncpg import Pool

from services.feedback.domain.weighting import REFRESH_AFTER, instant
from services.feedback.queries import due, operations

MOST_COUNTED = 100_000


class PostgresUpkeep:
    """The clock's work on what was said."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def age(self, now: datetime, most: int) -> int:
        """Note operations that age alone makes due, while little else is; answers how many."""
        async with self._pool.acquire() as connection, connection.transaction():
            if await due.count(connection, most) == most:
                return 0
            keys = await operations.aged(connection, instant(now) - REFRESH_AFTER, most)
            await due.note(connection, keys)
        return len(keys)

    async def report(self, after: timedelta, most: int) -> dict[str, int]:
        """Operations that have been missing for so long, by tenant, each once."""
        async with self._pool.acquire() as connection:
            return await operations.report(connection, after, most)

    async def waiting(self) -> int:
        """How many operations that somebody spoke of have not come."""
        async with self._pool.acquire() as connection:
            return await operations.waiting(connection, MOST_COUNTED)
