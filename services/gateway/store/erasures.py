"""Erasures in Postgres: what is asked for, the gateway's own part, and what is told of them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import structlog

from services.gateway.domain.audit import of_erasure
from services.gateway.domain.erasures import Asked, erasure_view, no_erasure
from services.gateway.domain.problems import Problem
from services.gateway.queries import erasures as queries
from services.gateway.queries import objects
from services.gateway.store import subject_exports
from services.gateway.store.redis import ANSWER_S
from services.gateway.store.sessions import Sessions, set_tenant
from shared.delivery.postgres import Session
from shared.events.erasure import ErasureEvent
from shared.ids import new_id
from shared.privacy import due
from shared.privacy.eraser import Did, Noted
from shared.privacy.tasks import Task, tell
from shared.topics import Topic

MOST_OPEN = 1_000

log = structlog.get_logger()


class PostgresErasures:
    """One transaction per question or change."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def add(
        self, tenant_id: str, asked: Asked, needles: Sequence[bytes], reviewer: str | None
    ) -> dict[str, Any]:
        """Mark what is to be erased: from the commit on nobody stores any of it.

        The name itself, as long as it is known: `needles` in dead letters, `reviewer` in queues.
        """
        async with self._sessions.writing(tenant_id) as connection:
            # Before the lock, which the marks of all tenants wait for: a search may take seconds.
            removed = await _letters(connection, needles) if needles else 0
            await queries.one_mark_at_a_time(connection)
            if await queries.count_open(connection, tenant_id) >= MOST_OPEN:
                raise Problem("conflict", f"{MOST_OPEN} erasures are under way; wait for some.")
            await queries.insert(connection, tenant_id, asked)
            if removed:
                await queries.count_letters(connection, tenant_id, asked.erasure_id, removed)
            if reviewer is not None:
                await queries.remove_takes(connection, tenant_id, reviewer)
            event = _event(tenant_id, asked)
            await tell(connection, Topic.ERASURES, asked.subject_hash, event)
            await self._sessions.record(connection, tenant_id, of_erasure(asked))
        return await self.erasure(tenant_id, asked.erasure_id)

    async def erasure(self, tenant_id: str, erasure_id: UUID) -> dict[str, Any]:
        """One erasure with its receipts; a 404 where there is none."""
        async with self._sessions.reading(tenant_id) as connection:
            row = await objects.one(connection, queries.ERASURES, tenant_id, erasure_id)
            if row is None:
                raise no_erasure(erasure_id)
            return erasure_view(row, await queries.receipts(connection, tenant_id, erasure_id))

    async def late(self) -> Sequence[Any]:
        """Erasures of all tenants that lack a receipt after their deadline."""
        async with self._sessions.connected() as connection:
            return await queries.late(connection)

    @asynccontextmanager
    async def relaying(self, most: int) -> AsyncIterator["Relay"]:
        """Events of all tenants to tell, unless another gateway is at it."""
        async with self._sessions.connected() as connection, connection.transaction():
            is_ours = await queries.try_relay_lock(connection)
            yield Relay(connection, await queries.untold(connection, most) if is_ours else [])


class Relay(NamedTuple):
    """Events that are to be told, oldest first."""

    connection: Session
    events: Sequence[Any]

    async def told(self, tenant_id: str, events: Sequence[UUID]) -> None:
        """The broker has these."""
        await set_tenant(self.connection, tenant_id)
        await queries.mark_told(self.connection, tenant_id, events)


async def erase(connection: Session, task: Task) -> Did:
    """Operations are noted, one by one; exports of people's data follow once all else is erased."""
    if not await due.followed(connection, task, "ingest", "abtest", "feedback"):
        return Did(waits=True)
    removed, following = await subject_exports.forget(connection, task)
    return Did(removed, following)


async def forget_answers(connection: Session, task: Task) -> Did:
    """Answers under an Idempotency-Key hold ids of events, and expire."""
    began = await connection.fetchval(
        "SELECT created_at FROM erasures WHERE tenant_id = $1 AND erasure_id = $2", *task[:2]
    )
    at: datetime = began
    return Did(removed=0, until=at + timedelta(seconds=ANSWER_S))


async def erase_noted(connection: Session, tenant_id: str, notes: Sequence[Any]) -> Noted:
    """Take operations out of review queues."""
    removed: dict[UUID, int] = {}
    by_erasure: dict[UUID | None, list[str]] = {}
    for one in notes:
        by_erasure.setdefault(one["erasure_id"], []).append(one["operation_id"])
    for erasure_id, operations in by_erasure.items():
        gone = await queries.remove_items(connection, tenant_id, operations)
        if erasure_id is not None:
            removed[erasure_id] = gone
    return Noted([one["due_id"] for one in notes], [], removed)


async def _letters(connection: Session, needles: Sequence[bytes]) -> int:
    """Dead letters by the name itself; of too many to be searched in time, ingest finds most."""
    try:
        async with connection.transaction():
            return await queries.letters(connection, needles)
    except asyncpg.QueryCanceledError:
        log.warning("dead_letters_not_searched", why="there are too many")
        return 0


def _event(tenant_id: str, asked: Asked) -> ErasureEvent:
    return ErasureEvent(
        event_id=new_id(),
        tenant_id=tenant_id,
        occurred_at=asked.before,
        erasure_id=asked.erasure_id,
        mode=asked.mode,
        kind=asked.kind,
        subject_hash=asked.subject_hash,
        erased_from=asked.since,
        erased_before=asked.before,
        deadline=asked.deadline,
    )
