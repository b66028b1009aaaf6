"""Letting go of what is kept no longer."""

from datetime import timedelta

from asyncpg import Pool

from services.abtest.queries import retention
from services.abtest.queries.tests import KEPT_AFTER_END

# A batch that began to be stored before a test's time was over may still be at it.
MARGIN = timedelta(hours=1)


class PostgresUpkeep:
    """Removes what is kept of units of tests that ended long ago; feedback that waits in vain."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def remove_old(self, waiting_after: timedelta, most: int) -> int:
        """Remove a portion; answers how many rows."""
        async with self._pool.acquire() as connection:
            removed = await retention.remove_waiting(connection, waiting_after)
            for table in ("ab_events", "ab_units", "ab_past"):
                after = KEPT_AFTER_END + MARGIN
                removed += await retention.remove_of_ended(connection, table, after, most)
        return removed
