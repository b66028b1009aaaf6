"""Minutes and rows in Postgres, as comparisons need them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from asyncpg import Pool

from services.metrics.domain.difference import Evidence, Range
from services.metrics.domain.waiting import Waiting
from services.metrics.queries import evidence
from shared.delivery.plan import Partition


class StoredMinutes:
    """Reads through a pool that may have to be made first."""

    def __init__(self, pool: Callable[[], Awaitable[Pool]]) -> None:
        self._pool = pool

    async def position(self, partition: Partition) -> int | None:
        """Where ingest stands."""
        return await evidence.stored_position(await self._pool(), partition)

    async def places(self, partition: Partition, since: datetime) -> list[tuple[str, int]]:
        """Tenant and start of every minute since then."""
        return await evidence.minutes_stored(await self._pool(), partition, since)

    async def evidence(
        self,
        partition: Partition,
        next_offset: int,
        most_ahead: int,
        wanted: Sequence[Range],
        waiting: Mapping[bytes, Waiting],
    ) -> Evidence | None:
        """What cells that expect `next_offset` should hold; see queries/evidence.py."""
        pool = await self._pool()
        return await evidence.evidence(pool, partition, next_offset, most_ahead, wanted, waiting)
