"""Sums of rows in Postgres, of which only a few are made at a time."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
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
        self._tenants: dict[str, asyncio.Lock] = {}

    async def sums(
        self, tenant_id: str, model_id: str, filters: Filters, borders: Sequence[datetime]
    ) -> list[Cell]:
        """What happened between each two borders; `TooManyError` when time ran out."""
        async with self._turn(tenant_id), self._sessions.reading(tenant_id) as connection:
            try:
                return await queries.sums(connection, tenant_id, model_id, filters, borders)
            except asyncpg.QueryCanceledError as error:
                raise TooManyError from error  # here the statement timeout is no absent store

    @asynccontextmanager
    async def _turn(self, tenant_id: str) -> AsyncIterator[None]:
        """One of the few, and the tenant's only one: nobody takes them all."""
        own = self._tenants.setdefault(tenant_id, asyncio.Lock())
        async with AsyncExitStack() as held:
            try:
                async with asyncio.timeout(WAIT_S):
                    await held.enter_async_context(own)
                    await held.enter_async_context(self._free)
            except TimeoutError as error:
                said = "Too many questions by agent_id or release at once; ask again shortly."
                raise Problem("overloaded", said) from error
            yield
