"""Sums of rows in Postgres, of which only a few are made at a time."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime

import asyncpg

from services.gateway.domain.answers import Filters
from services.gateway.domain.problems import Problem, TooManyError
from services.gateway.queries import rows as queries
from services.gateway.queries.rows import Span
from services.gateway.store.sessions import Sessions
from shared.alerts.rule import Filter
from shared.alerts.slots import Stored
from shared.delivery.postgres import Session
from shared.measures.cells import Cell, Series

# Each may take all its time: most of the pool's eight connections stay free for the rest.
MOST_AT_ONCE = 2
WAIT_S = 5.0
READ_AT_MOST_S = 8.0


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
        async with self._reading(tenant_id) as connection:
            return await queries.sums(connection, tenant_id, model_id, filters, borders)

    async def of_agent(
        self, tenant_id: str, model_id: str | None, agent_id: str, span: Span
    ) -> dict[Series, Cell]:
        """What an agent did, by series; `TooManyError` when time ran out."""
        async with self._reading(tenant_id) as connection:
            return await queries.of_agent(connection, tenant_id, model_id, agent_id, span)

    async def of_versions(self, tenant_id: str, model_id: str | None, span: Span) -> list[Stored]:
        """What versions did, by their slots; `TooManyError` when time ran out."""
        async with self._reading(tenant_id) as connection:
            return await queries.of_versions(connection, tenant_id, model_id, span)

    async def agent_sent(self, tenant_id: str, wanted: Filter) -> bool:
        """Whether an agent sent anything in the last day that a filter names."""
        try:
            async with self._reading(tenant_id) as connection:
                return await queries.agent_sent(connection, tenant_id, wanted)
        except TooManyError:
            return True  # so many operations that nobody can tell in time

    @asynccontextmanager
    async def _reading(self, tenant_id: str) -> AsyncIterator[Session]:
        async with self._turn(tenant_id), self._sessions.reading(tenant_id) as connection:
            deadline = asyncio.timeout(READ_AT_MOST_S)
            try:
                async with deadline:
                    yield connection
            except asyncpg.QueryCanceledError as error:
                raise TooManyError from error  # here the statement timeout is no absent store
            except TimeoutError as error:
                if deadline.expired():
                    raise TooManyError from error
                raise

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
                said = "Too many sums of single operations at once; ask again shortly."
                raise Problem("overloaded", said) from error
            yield
