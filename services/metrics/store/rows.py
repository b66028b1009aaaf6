"""Operations in Postgres, read through a pool that may have to be made first."""

from collections.abc import Awaitable, Callable

from asyncpg import Pool

from services.metrics.domain.rows import Position, Read, Wanted
from services.metrics.queries import rows as queries


class StoredRows:
    """The operations of one topic."""

    def __init__(self, pool: Callable[[], Awaitable[Pool]], topic: str) -> None:
        self._pool = pool
        self._topic = topic

    async def read(
        self, tenant_id: str, wanted: Wanted, known: Wanted, since: Position | None
    ) -> tuple[Read, Position] | None:
        """What is new since, and the past of what is not known yet; see queries/rows.py."""
        return await queries.read(await self._pool(), self._topic, tenant_id, wanted, known, since)
