"""Lets go of what has been kept long enough: whole days where nobody keeps them, else rows.

What goes row by row may come again, as long as events of its age are taken: its identity is kept
until then, and what minutes counted of it, as for what is erased. A day that leaves as a whole is
older than any event that can come.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time, timedelta
from functools import partial

import structlog
from asyncpg import LockNotAvailableError, Pool, PostgresError

from services.ingest.queries import erased
from services.ingest.queries import retention as queries
from services.ingest.queries.events import ERASED_MINUTES, MINUTES
from services.ingest.store.letting_go import ROWS, SAID, Table, let_go
from shared.clock import Clock
from shared.codec import RETENTION
from shared.delivery.postgres import LIMITS, Session
from shared.privacy.cutoffs import cutoff, cutoffs
from shared.privacy.retention import GRACE

GRACE_OF_DAYS = timedelta(days=10)
"""Rows of tenants that keep as much as may be sent, or more, leave with their days if they can."""
# An event that is stored may lie a day ahead, and be read a week after it was sent.
TOO_OLD_TO_COME = RETENTION + timedelta(days=9)
SPAN = timedelta(hours=1)
TRIES, TRY_EVERY_S = 5, 1.0
OTHERS_S = 0.05
OF = {"operations": ROWS, "feedback": SAID}

Tell = Callable[[str, int], None]
Forget = Callable[[Session, str | None, datetime], Awaitable[int]]

log = structlog.get_logger()


class PostgresRetaining:
    """A pass; each portion is a transaction of its own, and of two processes one at a time."""

    def __init__(self, pool: Pool, now: Clock, tell: Tell = lambda what, gone: None) -> None:
        """`tell` hears of every portion: the class, and how much went."""
        self._pool = pool
        self._now = now
        self._tell = tell

    async def look(self) -> Mapping[str, int]:
        """Let go of everything whose time is over; what went, by class, and whole `days`."""
        gone: Counter[str] = Counter()
        async with self._pool.acquire() as connection:
            for of_class, table in OF.items():
                await self._count(gone, "days", None, _days(connection, table))
                since = await after_ended_days(connection, table)
                for tenant_id in await cutoffs(connection, of_class):
                    if tenant_id is not None:
                        rows = self._rows(connection, of_class, tenant_id, since)
                        await self._count(gone, of_class, tenant_id, rows)
            for of_class, forget in SIMPLE:
                for tenant_id in await cutoffs(connection, of_class):
                    some = _forgotten(connection, of_class, tenant_id, forget)
                    await self._count(gone, of_class, tenant_id, some)
            await self._count(gone, "identities", None, self._identities(connection))
        return gone

    async def _count(
        self, gone: Counter[str], what: str, tenant_id: str | None, portions: AsyncIterator[int]
    ) -> None:
        """Work; what fails for one is tried again in the next pass, and holds up no other."""
        try:
            async for count in portions:
                gone[what] += count
                self._tell(what, count)
        except PostgresError as error:
            log.warning("retention_put_off", of=what, tenant=tenant_id, kind=type(error).__name__)

    async def _rows(
        self, connection: Session, of_class: str, tenant_id: str, at: datetime | None
    ) -> AsyncIterator[int]:
        """From the oldest since `at` on, an hour at most at once."""
        table = OF[of_class]
        while True:
            async with _portion(connection):
                before = await rows_before(connection, self._now(), of_class, tenant_id)
                if before is None:
                    return
                at = await queries.oldest(connection, table.name, tenant_id, at, before)
                if at is None:
                    return
                span = "tenant_id = $1 AND occurred_at >= $2 AND occurred_at < $3"
                found = span, (tenant_id, at, min(at + SPAN, before))
                count = len(await let_go(connection, table, found, "erase"))
            yield count
            if count == erased.MOST_ROWS:
                await asyncio.sleep(OTHERS_S)

    async def _identities(self, connection: Session) -> AsyncIterator[int]:
        portion, before = queries.MOST_ROWS, self._now() - TOO_OLD_TO_COME
        while portion == queries.MOST_ROWS:
            async with _portion(connection):
                portion = await queries.forget_counted(connection, before)
            yield portion


async def rows_before(
    connection: Session, now: datetime, of_class: str, tenant_id: str
) -> datetime | None:
    """Before when rows of a tenant go one by one; `None`: none goes."""
    ended = await cutoff(connection, of_class, tenant_id)
    if ended is None:
        return None
    leaves_by_days = ended <= now - RETENTION + SPAN
    return ended - (GRACE_OF_DAYS if leaves_by_days else GRACE)


async def after_ended_days(connection: Session, table: Table) -> datetime | None:
    """Where days begin that do not leave as a whole; `None`: none has ended."""
    ended = await queries.ended_days(connection, table.name)
    return datetime.combine(ended[-1], time(), UTC) + timedelta(days=1) if ended else None


async def _days(connection: Session, table: Table) -> AsyncIterator[int]:
    for day in await queries.ended_days(connection, table.name):
        for left in reversed(range(TRIES)):
            try:
                async with connection.transaction():
                    dropped = await queries.drop_day(connection, table.name, day)
            except LockNotAvailableError:
                # Whoever works at the table goes on; else the next pass tries again.
                if not left:
                    log.info("retention_day_busy", table=table.name, day=str(day))
                    return
                await asyncio.sleep(TRY_EVERY_S)
            else:
                yield int(dropped)
                break


async def _forgotten(
    connection: Session, of_class: str, tenant_id: str | None, forget: Forget
) -> AsyncIterator[int]:
    portion = queries.MOST_ROWS
    while portion == queries.MOST_ROWS:
        async with _portion(connection):
            before = await cutoff(connection, of_class, tenant_id)
            if before is None:
                return
            portion = await forget(connection, tenant_id, before)
        yield portion


@asynccontextmanager
async def _portion(connection: Session) -> AsyncIterator[None]:
    async with connection.transaction():
        await connection.execute(LIMITS)
        await queries.one_at_a_time(connection)
        yield


SIMPLE: tuple[tuple[str, Forget], ...] = (
    ("dead_letters", queries.forget_letters),
    ("minutes", partial(queries.forget_minutes, MINUTES)),
    ("minutes", partial(queries.forget_minutes, ERASED_MINUTES)),
)
"""What leaves no trace."""
