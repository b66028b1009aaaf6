"""Training rows in Postgres, read from the first to the last as of one instant."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

from asyncpg import Record
from asyncpg.cursor import Cursor

from services.gateway.domain.exporting import Wanted
from services.gateway.queries import exporting as queries
from services.gateway.store.sessions import Sessions
from shared.tasks import end
from shared.training.row import TrainingRow
from shared.training.stored import row_of

FIRST_ROWS, LEAST_ROWS, MOST_ROWS = 100, 25, 1_000
PORTION_CHARACTERS = 2 << 20
"""Of two portions at a time: rows hold up to 96 KiB of texts, and a thousand of them 96 MB."""
EVERY = 10

Portions = AsyncGenerator[Sequence[TrainingRow], None]


class PostgresExports:
    """One transaction per export, on connections of their own: the rest waits for none of them."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    @asynccontextmanager
    async def opened(self, tenant_id: str, wanted: Wanted) -> AsyncIterator[Portions]:
        """Portions of rows; the transaction ends with the block, however it is left."""
        async with self._sessions.reading(tenant_id) as connection:
            cursor = await queries.opened(connection, tenant_id, wanted)
            async with aclosing(_portions(cursor)) as portions:
                yield portions


async def _portions(cursor: "Cursor[Record]") -> Portions:
    """Each while Postgres is already at the next one."""
    following = asyncio.ensure_future(queries.portion(cursor, FIRST_ROWS))
    try:
        while records := await following:
            following = asyncio.ensure_future(queries.portion(cursor, fitting(records)))
            yield [row_of(record) for record in records]
    finally:
        await end([following])


def fitting(records: Sequence[Any]) -> int:
    """How many rows may be read at once, if they are like these."""
    some = records[::EVERY]
    characters = sum(
        len(one["input"] or "") + len(one["output"] or "") + len(one["correction"] or "")
        for one in some
    )
    return max(LEAST_ROWS, min(MOST_ROWS, PORTION_CHARACTERS * len(some) // max(1, characters)))
