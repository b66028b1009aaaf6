"""Operations in Postgres, read through a pool that may have to be made first."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from asyncpg import Pool

from services.metrics.domain.rows import Lens, Position
from services.metrics.queries import rows as queries
from shared.alerts.slots import Stored


class StoredRows:
    """The operations of one topic."""

    def __init__(self, pool: Callable[[], Awaitable[Pool]], topic: str) -> None:
        self._pool = pool
        self._topic = topic

    async def past(
        self, tenant_id: str, lens: Lens
    ) -> AsyncIterator[tuple[Position, list[Stored]]]:
        """All that is seen through a lens, a portion at a time."""
        async for found in queries.past(await self._pool(), self._topic, tenant_id, lens):
            yield found

    async def later(
        self, tenant_id: str, since: Mapping[Lens, Position]
    ) -> tuple[Position, dict[Lens, list[Stored]]] | None:
        """What was stored since; `None` when the log began anew."""
        return await queries.later(await self._pool(), self._topic, tenant_id, since)
