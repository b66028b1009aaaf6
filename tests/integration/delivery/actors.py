"""Two parties on real Postgres connections, taken through their steps one at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple

import asyncpg

from services.ingest.domain.batch import Batch, Read, read_batch
from services.ingest.queries import events
from services.ingest.queries.events import OPERATIONS
from services.ingest.store.batches import PostgresStore, _insert
from services.metrics.queries import snapshot
from shared.clock import utc_now
from shared.codec import microseconds
from shared.delivery.plan import Action, Fence, Partition, plan
from shared.delivery.postgres import Session, Verdicts
from shared.errors import FencedError
from shared.events.operation import OperationEvent
from shared.measures.cells import Cells
from shared.privacy.names import Names
from tests.support.events import encoded, operation

PRICE = 7
LOOK_S = 0.005
PLAYED_WITHIN_S = 30
BLOCKED = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $1"


class LogRecord(NamedTuple):
    """A record as Kafka delivers it."""

    topic: str
    partition: int
    offset: int
    value: bytes
    timestamp: int
    timestamp_type: int = 1
    key: bytes | None = b"key"
    headers: tuple[tuple[str, bytes], ...] = ()


def log_of(partition: Partition, numbers: Sequence[int], occurred_at: str) -> list[LogRecord]:
    """A log with these operations, all of one minute: every writer adds to the same cells."""
    stamp = microseconds(utc_now()) // 1000
    return [
        LogRecord(*partition, offset, encoded(operation(number, occurred_at=occurred_at)), stamp)
        for offset, number in enumerate(numbers)
    ]


def decoded(records: Sequence[LogRecord]) -> list[Read]:
    """What ingest reads in these records."""
    batch: Batch = read_batch(OperationEvent, records, {"acme"}, microseconds(utc_now()), None)
    assert not batch.dead
    return batch.good


Step = Callable[[], Awaitable[None]]


class Actor:
    """Five steps on one connection, each begun when its turn comes and the last one has ended."""

    def __init__(self, pool: asyncpg.Pool, pid: int) -> None:
        self.pool = pool
        self.waited = False
        self._pid = pid
        self._steps: list[Step] = []
        self._task: asyncio.Future[None] | None = None

    @property
    def done(self) -> bool:
        """No step is under way or left."""
        return self._task is None and not self._steps

    async def turn(self, watcher: asyncpg.Connection) -> None:
        """Take the next step, unless the last one still waits for a lock."""
        await self.settle(watcher)
        if self._task is None and self._steps:
            self._task = asyncio.ensure_future(self._steps.pop(0)())
            await self.settle(watcher)

    async def settle(self, watcher: asyncpg.Connection) -> None:
        """Until the step under way has ended, or waits for a lock."""
        while self._task is not None:
            await asyncio.wait({self._task}, timeout=LOOK_S)
            if self._task.done():
                self._task.result()
                self._task = None
            elif await watcher.fetchval(BLOCKED, self._pid):
                self.waited = True
                return


class Owner(Actor):
    """A process of ingest that has fetched some records: claim, move, insert, add up, commit."""

    def __init__(
        self, pool: asyncpg.Pool, pid: int, partition: Partition, records: Sequence[LogRecord]
    ) -> None:
        super().__init__(pool, pid)
        self.store = PostgresStore(
            pool, snapshot.SOURCE_GROUP, lambda _: PRICE, Names(b"x" * 32), lambda _: False
        )
        self.fence = Fence(0, 0)
        self.fenced = False
        self.fresh: list[int] = []
        self._partition = partition
        self._reads = decoded(records)
        self._cells: Cells = {}
        self._open: AbstractAsyncContextManager[Session] | None = None
        self._steps = [self._claim, self._move, self._insert, self._add_up, self._commit]

    async def _claim(self) -> None:
        self.fence = await self.store.claim(self._partition, 0)
        offsets = [read.record.offset for read in self._reads]
        todo = plan(self.fence.next_offset, offsets, rewound=False)
        self._reads = [] if todo.action is Action.DROP else self._reads[todo.first :]

    async def _move(self) -> None:
        if not self._reads:
            return
        last = self._reads[-1].record.offset
        begun = self.store._fence.fenced(self._partition, self.fence, last + 1, 0)
        try:
            self._session = await begun.__aenter__()
        except FencedError:
            self.fenced = True
        else:
            self._open = begun

    async def _insert(self) -> None:
        if self._open is None:
            return
        table, rows, fold = self.store._prepared(self._reads)
        self.fresh, _ = await _insert(self._session, table, self._reads, rows)
        self._cells = fold(self.fresh)

    async def _add_up(self) -> None:
        if self._open is None:
            return
        await events.add_rollups(self._session, *self._partition, self._cells)
        verdicts = Verdicts(len(self.fresh), len(self._reads) - len(self.fresh), 0)
        await self.store._fence.count(self._session, self._partition, verdicts)

    async def _commit(self) -> None:
        if self._open is not None:
            await self._open.__aexit__(None, None, None)

    async def prepare_days(self) -> None:
        """The day partitions that its rows need."""
        days = {read.event.occurred_at.date() for read in self._reads}
        await events.ensure_days(self.pool, OPERATIONS, days)  # type: ignore[arg-type]


class Rebuilder(Actor):
    """Metrics reading what live cells are rebuilt from: begin, position, minutes, ids, end."""

    def __init__(self, pool: asyncpg.Pool, pid: int, partition: Partition) -> None:
        super().__init__(pool, pid)
        self.position: int | None = None
        self.cells: Cells = {}
        self.identities: list[str] = []
        self._partition = partition
        self._begun = snapshot.one_instant(pool)
        self._steps = [self._begin, self._read_position, self._read_minutes, self._read_ids]
        self._steps.append(self._end)

    async def _begin(self) -> None:
        self._session = await self._begun.__aenter__()

    async def _read_position(self) -> None:
        self.position = await snapshot.position(self._session, self._partition)

    async def _read_minutes(self) -> None:
        since = utc_now().replace(year=2000)
        minutes = snapshot.minutes_since(self._session, self._partition, since)
        self.cells = {key: cell async for key, cell in minutes}

    async def _read_ids(self) -> None:
        since = utc_now().replace(year=2000)
        rows = await self._session.fetch(snapshot._ARRIVED, *self._partition, since)
        self.identities = sorted(str(row["event_id"]) for row in rows)

    async def _end(self) -> None:
        await self._begun.__aexit__(None, None, None)


async def play(order: str, actors: dict[str, Actor], watcher: asyncpg.Connection) -> None:
    """Give the actors their turns in this order; who was blocked catches up in the end."""
    async with asyncio.timeout(PLAYED_WITHIN_S):
        for name in order:
            await actors[name].turn(watcher)
        while not all(actor.done for actor in actors.values()):
            for actor in actors.values():
                await actor.turn(watcher)
