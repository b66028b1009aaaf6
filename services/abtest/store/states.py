"""What is known of tests, read back for a look at their results."""

from uuid import UUID

from asyncpg import Pool

from services.abtest.domain.reading import test_state
from services.abtest.domain.state import TestState
from services.abtest.queries import reading
from services.abtest.store.known import KnownTests


class PostgresStates:
    """Tests' sums, each of one instant."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._known = KnownTests()

    async def versions(self) -> dict[tuple[str, UUID], int]:
        """By tenant and test, a number that has grown whenever events changed its sums."""
        async with self._pool.acquire() as connection:
            rows = await reading.versions(connection)
        return {(row["tenant_id"], row["test_id"]): row["version"] for row in rows}

    async def state(self, tenant_id: str, test_id: UUID) -> TestState | None:
        """All that is known of a test; `None` when there is none that has begun."""
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            test = await self._known.one(connection, tenant_id, test_id)
            if test is None:
                return None
            return test_state(
                test,
                await reading.arms(connection, tenant_id, test_id),
                await reading.sums(connection, tenant_id, test_id),
                await reading.bins(connection, tenant_id, test_id),
                await reading.days(connection, tenant_id, test_id),
            )
