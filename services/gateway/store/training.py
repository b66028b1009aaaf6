"""Feedback and training rows in Postgres."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from services.gateway.domain.audit import of_reading, of_row
from services.gateway.domain.cursor import Cursor
from services.gateway.queries import feedback as said
from services.gateway.queries import training as queries
from services.gateway.store.sessions import Sessions
from shared.training.filters import RowFilters
from shared.training.shards import shard_of

Row = asyncpg.Record


class PostgresTraining:
    """One transaction per question or change."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def feedback(
        self, tenant_id: str, filters: Mapping[str, Any], after: Cursor | None, limit: int
    ) -> Sequence[Row]:
        """Feedback, newest first."""
        async with self._sessions.reading(tenant_id) as connection:
            return await said.feedback(connection, tenant_id, filters, after, limit)

    async def rows(
        self, tenant_id: str, filters: RowFilters, after: Cursor | None, limit: int
    ) -> Sequence[Row]:
        """Training rows that are ready, newest first."""
        await self._sessions.record_read(tenant_id, of_reading(filters))
        async with self._sessions.reading(tenant_id) as connection:
            return await queries.rows(connection, tenant_id, filters, after, limit)

    async def row(self, tenant_id: str, row_id: UUID) -> Row | None:
        """One training row that is ready."""
        await self._sessions.record_read(tenant_id, of_reading(row_id=row_id))
        async with self._sessions.reading(tenant_id) as connection:
            return await queries.row(connection, tenant_id, row_id)

    async def block(self, tenant_id: str, row_id: UUID, actor: str) -> bool:
        """Take a row out for good, and have its operation's made anew; false: there is none."""
        async with self._sessions.writing(tenant_id) as connection:
            operation_id = await queries.block(connection, tenant_id, row_id, actor)
            if operation_id is None:
                return False
            shard = shard_of(tenant_id, operation_id)
            await queries.note_due(connection, tenant_id, operation_id, shard)
            done = of_row("training_row", "block", row_id, after={"operation_id": operation_id})
            await self._sessions.record(connection, tenant_id, done)
            return True
