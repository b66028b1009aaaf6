"""Review queues in Postgres."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from pydantic_core import from_json

from services.gateway.domain.audit import of_place, of_row
from services.gateway.domain.cursor import Cursor
from services.gateway.domain.problems import Problem
from services.gateway.domain.reviews import LEASE, Place, QueueRequest, ReviewFilters, no_queue
from services.gateway.queries import objects
from services.gateway.queries import reviews as queries
from services.gateway.store.sessions import Sessions

Row = asyncpg.Record
MOST_QUEUES = 1_000
MOST_REVIEWS = 100_000


class PostgresReviews:
    """One transaction per question or change."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def queues(self, tenant_id: str, after: Cursor | None, limit: int) -> Sequence[Row]:
        """A tenant's queues, newest first."""
        async with self._sessions.reading(tenant_id) as connection:
            return await objects.newest(connection, queries.QUEUES, tenant_id, after, limit)

    async def queue(self, tenant_id: str, queue_id: UUID) -> Row:
        """One queue; a 404 where there is none."""
        async with self._sessions.reading(tenant_id) as connection:
            row = await objects.one(connection, queries.QUEUES, tenant_id, queue_id)
        if row is None:
            raise no_queue(queue_id)
        return row

    async def add(self, tenant_id: str, queue_id: UUID, asked: QueueRequest, actor: str) -> Row:
        """Make a queue with its first sample."""
        async with self._sessions.writing(tenant_id) as connection:
            await objects.one_at_a_time(connection, tenant_id)
            if await queries.count(connection, tenant_id) >= MOST_QUEUES:
                raise Problem("conflict", f"There are {MOST_QUEUES} review queues already.")
            await queries.insert(connection, tenant_id, queue_id, asked, actor)
            await queries.sample(
                connection, (tenant_id, queue_id), asked.strategy, asked.filters, asked.sample
            )
            done = of_row("review_queue", "create", queue_id, after=asked.model_dump())
            await self._sessions.record(connection, tenant_id, done)
        return await self.queue(tenant_id, queue_id)

    async def sample(self, tenant_id: str, queue_id: UUID, most: int) -> int:
        """Add operations that a queue never had; answers how many."""
        async with self._sessions.writing(tenant_id) as connection:
            queue = await self._open(connection, tenant_id, queue_id)
            filters = ReviewFilters.model_validate(from_json(queue["filters"]))
            added = await queries.sample(
                connection, (tenant_id, queue_id), queue["strategy"], filters, most
            )
            done = of_row("review_queue", "sample", queue_id, after={"added": added})
            await self._sessions.record(connection, tenant_id, done)
            return added

    async def close(self, tenant_id: str, queue_id: UUID) -> None:
        """Let nobody take from it any more."""
        async with self._sessions.writing(tenant_id) as connection:
            if not await queries.close(connection, tenant_id, queue_id):
                raise no_queue(queue_id)
            done = of_row("review_queue", "close", queue_id)
            await self._sessions.record(connection, tenant_id, done)

    async def next(
        self, tenant_id: str, queue_id: UUID, reviewer: str, now: datetime
    ) -> tuple[Row, datetime] | None:
        """What this reviewer has taken already, or now takes; `None` when nothing is left."""
        async with self._sessions.writing(tenant_id) as connection:
            queue = await self._open(connection, tenant_id, queue_id)
            found = await queries.held(connection, tenant_id, queue_id, reviewer, now)
            is_held = found is not None
            found = found or await queries.take(
                connection,
                (tenant_id, queue_id, reviewer),
                queue["reviewers"],
                (now, now + LEASE),
            )
            if found is None:
                return None
            item = await queries.item(connection, tenant_id, queue_id, found["operation_id"])
            if not is_held:
                place = Place(tenant_id, queue_id, found["operation_id"], reviewer)
                await self._sessions.record(connection, tenant_id, of_place("take", place))
        assert item is not None  # noqa: S101 - a place is one of an item
        return item, found["expires_at"]

    async def taken(self, place: Place) -> Row | None:
        """A place that a reviewer has, or had."""
        async with self._sessions.reading(place.tenant_id) as connection:
            return await queries.taken(connection, *place)

    async def use(
        self, place: Place, said: dict[str, Any], now: datetime, taken_at: datetime
    ) -> bool:
        """Use a place; false when it is not this reviewer's any more."""
        async with self._sessions.writing(place.tenant_id) as connection:
            if not await queries.use(connection, place, said, (now, taken_at)):
                return False
            done = of_place("review", place, said)
            await self._sessions.record(connection, place.tenant_id, done)
            return True

    async def is_content_free(self, tenant_id: str) -> bool:
        """Whether a tenant keeps no texts."""
        async with self._sessions.reading(tenant_id) as connection:
            return await queries.is_content_free(connection, tenant_id)

    async def reviews(self, tenant_id: str, queue_id: UUID) -> Sequence[Row]:
        """All that was said in a queue."""
        await self.queue(tenant_id, queue_id)
        async with self._sessions.reading(tenant_id) as connection:
            return await queries.reviews(connection, tenant_id, queue_id, MOST_REVIEWS)

    async def _open(self, connection: Any, tenant_id: str, queue_id: UUID) -> Row:
        queue = await queries.open_queue(connection, tenant_id, queue_id)
        if queue is None:
            raise no_queue(queue_id)
        if queue["closed_at"] is not None:
            raise Problem("conflict", "The queue is closed.")
        return queue
