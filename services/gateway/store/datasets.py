"""Datasets in Postgres."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from services.gateway.domain.audit import of_row
from services.gateway.domain.cursor import Cursor
from services.gateway.domain.datasets import DatasetRequest
from services.gateway.queries import datasets as queries
from services.gateway.queries import objects
from services.gateway.store.sessions import Sessions

Row = asyncpg.Record


class PostgresDatasets:
    """One transaction per question or change."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def datasets(self, tenant_id: str, after: Cursor | None, limit: int) -> Sequence[Row]:
        """A tenant's datasets, newest first."""
        async with self._sessions.reading(tenant_id) as connection:
            return await objects.newest(connection, queries.DATASETS, tenant_id, after, limit)

    async def dataset(self, tenant_id: str, dataset_id: UUID) -> Row | None:
        """One dataset."""
        async with self._sessions.reading(tenant_id) as connection:
            return await objects.one(connection, queries.DATASETS, tenant_id, dataset_id)

    async def add(
        self, tenant_id: str, dataset_id: UUID, asked: DatasetRequest, actor: str, most: int
    ) -> Row | None:
        """Have one frozen, unless enough are waiting; versions of a name follow one another."""
        async with self._sessions.writing(tenant_id) as connection:
            await objects.one_at_a_time(connection, tenant_id)
            if await queries.count_freezing(connection, tenant_id) >= most:
                return None
            row = await queries.insert(connection, tenant_id, dataset_id, asked, actor)
            done = of_row("dataset", "freeze", dataset_id, after=row)
            await self._sessions.record(connection, tenant_id, done)
            return row
