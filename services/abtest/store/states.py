"""What is known of tests, read back for a look at their results."""

import asyncio
from uuid import UUID

from asyncpg import Pool

from services.abtest.domain.reading import test_state
from services.abtest.domain.state import TestState
from services.abtest.queries import reading
from services.abtest.store.known import KnownTests
from shared.delivery.postgres import Session


class PostgresStates:
    """Tests' sums, each of one instant."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._known = KnownTests()

    async def state(self, tenant_id: str, test_id: UUID) -> TestState | None:
        """All that is known of a test; `None` when there is none that has begun."""
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            return await self.read(connection, tenant_id, test_id)

    async def read(self, connection: Session, tenant_id: str, test_id: UUID) -> TestState | None:
        """The same inside the caller's transaction, which sees one instant."""
        test = await self._known.one(connection, tenant_id, test_id)
        if test is None:
            return None
        arms = await reading.arms(connection, tenant_id, test_id)
        sums = await reading.sums(connection, tenant_id, test_id)
        bins = await reading.bins(connection, tenant_id, test_id)
        days = await reading.days(connection, tenant_id, test_id)
        # Hundreds of sketches are milliseconds; batches go on meanwhile.
        return await asyncio.to_thread(test_state, test, arms, sums, bins, days)
