"""Sums of rows in Postgres, of which only a few are made at a time."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import asyncpg

from services.gateway.domain.answers import Filters
from services.gateway.domain.problems import TooManyError
from services.gateway.queries import rows as queries
from services.gateway.queries.rows import Span
from services.gateway.store.sessions import Sessions
from services.gateway.store.turns import Turns
from shared.alerts.rule import Filter
from shared.alerts.slots import Stored
from shared.delivery.postgres import Session
from shared.measures.cells import Cell, Series

READ_AT_MOST_S = 8.0


class PostgresRows:
    """What the gateway sums by itself."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._turns = Turns("sums of single operations")

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
        async with self._turns.turn(tenant_id), self._sessions.reading(tenant_id) as connection:
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
