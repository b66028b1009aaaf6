"""Training rows in Postgres, read from the first to the last as of one instant."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from asyncpg import Record
from asyncpg.cursor import Cursor

from services.gateway.domain.exporting import Wanted
from services.gateway.queries import exporting as queries
from services.gateway.store.sessions import Sessions
from shared.training.row import TrainingRow
from shared.training.stored import row_of

Portions = AsyncIterator[Sequence[TrainingRow]]


class PostgresExports:
    """One transaction per export, on connections of their own: the rest waits for none of them."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    @asynccontextmanager
    async def opened(self, tenant_id: str, wanted: Wanted) -> AsyncIterator[Portions]:
        """Portions of rows; the transaction ends with the block, however it is left."""
        async with self._sessions.reading(tenant_id) as connection:
            yield _rows(await queries.opened(connection, tenant_id, wanted))


async def _rows(cursor: "Cursor[Record]") -> Portions:
    async for records in queries.portions(cursor):
        yield [row_of(record) for record in records]
