"""Works at a service's erasures, a portion in a transaction: whoever goes on begins there."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from asyncpg import InterfaceError, Pool, PostgresConnectionError

from shared.clock import monotonic
from shared.delivery.faults import FAULTS
from shared.delivery.postgres import LIMITS, Session
from shared.privacy import due, tasks
from shared.privacy.tasks import Key, Task

LOOK_EVERY_S = 1.0
NOTES_AT_ONCE = 200
PUT_OFF_S = 30.0
"""How long what failed waits, so that what others asked for goes on."""
AWAY = (OSError, PostgresConnectionError, InterfaceError)

log = structlog.get_logger()


class Did(NamedTuple):
    """What one portion came to."""

    removed: int | None = 0
    position: Mapping[str, Any] | None = None
    """Where to go on; `None`: nothing is left."""
    waits: bool = False
    """Whether somebody else has to go on first."""
    until: datetime | None = None
    """Until when a store keeps what nobody can take out of it."""


Erase = Callable[[Session, Task], Awaitable[Did]]
"""One portion of a task, in the transaction that is given."""


class Noted(NamedTuple):
    """What became of notes: those done with, those half done, and what was removed."""

    done: Sequence[int]
    half: Sequence[int]
    removed: Mapping[UUID, int]


EraseNoted = Callable[[Session, str, Sequence[Any]], Awaitable[Noted]]
"""Work at notes of a tenant."""


class Eraser:
    """One service's part of all erasures. `pool` raises `OSError` while the store is away."""

    def __init__(
        self,
        service: str,
        pool: Callable[[], Awaitable[Pool]],
        stores: Mapping[str, Erase],
        noted: EraseNoted | None = None,
    ) -> None:
        self._service = service
        self._pool = pool
        self._stores = stores
        self._noted = noted
        self._put_off: dict[Hashable, float] = {}

    async def run(self) -> None:
        """Look for ever."""
        while True:
            if not await self.look():
                await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> bool:
        """One portion of each task and of each tenant's notes; answers whether anything moved."""
        pool = await self._pool()
        async with pool.acquire() as connection:
            keys = await tasks.open_tasks(connection, self._service)
            noting = await due.tenants(connection, self._service) if self._noted else []
        # Notes first: a task waits for those that it left.
        worked = [await self._tried(one, self._work(pool, one)) for one in noting]
        stepped = [await self._tried(key, self._step(pool, key)) for key in keys]
        return any(worked) or any(stepped)

    async def _tried(self, what: Hashable, work: Coroutine[Any, Any, bool]) -> bool:
        """Do it, unless it failed lately: nobody's erasure holds up another's."""
        if monotonic() < self._put_off.get(what, 0.0):
            work.close()
            return False
        try:
            moved = await work
        except AWAY:
            raise  # so is the next one
        except Exception as error:
            # Not its words: they may quote whom it is about.
            log.warning("erasure_put_off", what=str(what), kind=type(error).__name__)
            self._put_off[what] = monotonic() + PUT_OFF_S
            return False
        self._put_off.pop(what, None)
        return moved

    async def _step(self, pool: Pool, key: Key) -> bool:
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(LIMITS)
            task = await tasks.locked(connection, self._service, key)
            if task is None:
                return False
            if task.seen_xid is None or not await tasks.is_known(connection, task.seen_xid):
                await tasks.begin(connection, task)
                FAULTS.reach("erasure.begun")
                return True
            if not await tasks.is_settled(connection, task.seen_xid):
                return False
            did = await self._stores[task.store](connection, task)
            if did.waits:
                return False
            FAULTS.reach("erasure.portion")
            if did.position is not None:
                await tasks.moved(connection, task, did.removed or 0, did.position)
                return True
            total = None if did.removed is None else task.removed + did.removed
            await tasks.finish(connection, task, total, did.until)
            FAULTS.reach("erasure.receipt")
        return True

    async def _work(self, pool: Pool, tenant_id: str) -> bool:
        assert self._noted is not None  # noqa: S101 - only asked for notes if there is who works
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(LIMITS)
            seen = await due.see(connection, tenant_id, self._service)
            notes = await due.take(connection, tenant_id, self._service, NOTES_AT_ONCE)
            if not notes:
                return seen > 0
            worked = await self._noted(connection, tenant_id, notes)
            FAULTS.reach("erasure.noted")
            await due.done(connection, tenant_id, worked.done)
            if worked.half:
                await due.once(connection, tenant_id, worked.half)
            await due.counted(connection, tenant_id, self._service, dict(worked.removed))
        return bool(seen or worked.done or worked.half)
