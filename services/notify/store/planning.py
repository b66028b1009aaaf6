"""Where deliveries begin: in the transaction that moves the fence."""

from collections.abc import Collection

import asyncpg
import structlog
from asyncpg import Pool

from services.notify.domain.delivery import StepEvent
from services.notify.domain.planning import Planned, planned
from services.notify.queries import planning as queries
from shared.delivery.plan import Fence, Partition
from shared.delivery.postgres import PostgresFence, Session, Verdicts

log = structlog.get_logger()


class PostgresPlans:
    """Deliveries of group `notify`, behind its fence."""

    def __init__(self, pool: Pool, group: str) -> None:
        self._pool = pool
        self._fence = PostgresFence(pool, group)

    async def claim(self, partition: Partition, log_start: int) -> Fence:
        """Take a partition over."""
        return await self._fence.claim(partition, log_start)

    async def read(self, partition: Partition) -> Fence | None:
        """The fence as stored."""
        return await self._fence.read(partition)

    async def plan(
        self,
        partition: Partition,
        fence: Fence,
        events: Collection[StepEvent],
        offsets: tuple[int, int, int],
    ) -> None:
        """Keep deliveries of steps; `offsets`: the next one, the gap, and how many were invalid."""
        next_offset, gap, invalid = offsets
        async with self._fence.fenced(partition, fence, next_offset, gap) as connection:
            listeners = await queries.listeners(connection, {one.tenant_id for one in events})
            for one in planned(events, listeners):
                await _insert(connection, one)
            await self._fence.count(connection, partition, Verdicts(len(events), 0, invalid))

    async def check_schema(self) -> None:
        """Raise until the migrations have run."""
        await self._pool.fetchval("SELECT count(*) FROM notification_deliveries WHERE false")


async def _insert(connection: Session, one: Planned) -> None:
    """Keep a delivery; what the database will never take must not hold up the others."""
    try:
        async with connection.transaction():
            await queries.insert(connection, one)
    except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
        log.error("unplannable", step=str(one.event.event_id), why=type(error).__name__)
