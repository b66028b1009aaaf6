"""Sums of rows in Postgres, of which only a few are made at a time."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import asyncpg

from services.gateway.domain.answers import Filters
from services.gateway.domain.problems import Problem, TooManyError
from services.gateway.queries import rows as queries
from services.gateway.store.sessions import Sessions
from shared.measures.cells import Cell

# Each may take all its five seconds: most of the pool's eight connections stay free for the rest.
MOST_AT_ONCE = 2
WAIT_S = 5.0


class PostgresRows:
    """What the gateway sums by itself."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._free = asyncio.Semaphore(MOST_AT_ONCE)

    async def sums(
        self, tenant_id: str, model_id: str, filters: Filters, borders: Sequence[datetime]
    ) -> list[Cell]:
        """What happened between each two borders; `TooManyError` when time ran out."""
        try:
            async with asyncio.timeout(WAIT_S):
                await self._free.acquire()
        except TimeoutError as error:
            said = (
                "Too many questions by agent_id or release are being answered; ask again shortly."
            )
            raise Problem("overloaded", said) from error
        try:
            async with self._sessions.reading(tenant_id) as connection:
                try:
                    return await queries.sums(connection, tenant_id, model_id, filters, borders)
                except asyncpg.QueryCanceledError as error:
                    raise TooManyError from error  # here the statement timeout is no absent store
        finally:
            self._free.release()
