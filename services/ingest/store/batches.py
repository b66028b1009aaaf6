"""Where ingest's batches stay: one transaction per batch, behind the fence."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, timedelta

import asyncpg
from asyncpg import Pool

from services.ingest.domain.batch import Batch, Read, UnstorableError, reused
from services.ingest.domain.dead import DeadLetter, without_content
from services.ingest.domain.rows import (
    ContentFree,
    Row,
    alert_step_row,
    feedback_row,
    operation_row,
)
from services.ingest.queries import alerts, events, letters, waiting
from services.ingest.queries.events import (
    ALERT_STEPS,
    FEEDBACK,
    OPERATIONS,
    EventKey,
    EventTable,
)
from services.ingest.queries.letters import Unpublished
from services.ingest.store.dropping import Dropping
from shared.clock import Clock
from shared.delivery.plan import Fence, Partition
from shared.delivery.postgres import PostgresFence, Session, Verdicts
from shared.events.alert import AlertEvent
from shared.events.exposure import ExposureEvent
from shared.events.feedback import FeedbackEvent
from shared.events.operation import OperationEvent
from shared.measures.cells import Cells
from shared.measures.fold import fold_feedback, fold_operations, named_series_of
from shared.prices import Price
from shared.privacy.names import Names

DAYS_AHEAD = 2
MOST_KNOWN_DAYS = 400

KeepsNothing = Callable[[DeadLetter], bool]


class PostgresStore:
    """The system of record."""

    def __init__(
        self,
        pool: Pool,
        group: str,
        price: Price,
        names: Names,
        content_free: ContentFree,
        keeps_nothing: KeepsNothing = lambda _: False,
    ) -> None:
        """`keeps_nothing` tells of a dead letter whether its content may not be kept."""
        self._pool = pool
        self._fence = PostgresFence(pool, group)
        self._price = price
        self._pseudonym = names.pseudonym
        self._dropping = Dropping(names)
        self._content_free = content_free
        self._keeps_nothing = keeps_nothing
        self._days: set[tuple[str, date]] = set()

    async def claim(self, partition: Partition, log_start: int) -> Fence:
        """Take a partition over."""
        return await self._fence.claim(partition, log_start)

    async def read(self, partition: Partition) -> Fence | None:
        """The fence as stored."""
        return await self._fence.read(partition)

    async def write(
        self, partition: Partition, fence: Fence, batch: Batch, next_offset: int, gap: int
    ) -> Verdicts:
        """Store a batch, its rollups and its dead letters in one transaction.

        What is erased is not stored, and counted once all the same.
        """
        good = _kept(batch.good)
        table, rows, fold = self._prepared(good)
        await self._ensure_days(table, {row[2].date() for row in rows})
        try:
            async with self._fence.fenced(partition, fence, next_offset, gap) as connection:
                gone = await self._dropping.gone(connection, good)
                if gone:
                    reads = [(good[place], fit) for place, fit in sorted(gone.items())]
                    folded = self._prepared([read for read, _ in reads])[2]
                    await self._dropping.count(connection, (partition, table), reads, folded)
                    good = [read for place, read in enumerate(good) if place not in gone]
                    _, rows, fold = self._prepared(good)
                fresh, repeated = await _insert(connection, table, good, rows)
                back = await self._dropping.returned(connection, table, good, fresh)
                fresh = [place for place in fresh if place not in back]
                await events.add_rollups(connection, *partition, fold(fresh))
                if table is ALERT_STEPS:
                    await alerts.put(connection, [_step(good[at]) for at in fresh])
                buried = await self._dropping.unerased(connection, batch.dead)
                dropped = len(gone) + len(batch.dead) - len(buried)
                dead_letters = buried + await _reuses(
                    connection,
                    table,
                    [good[at] for at in repeated],
                    [rows[at] for at in repeated],
                )
                dead_letters = [
                    without_content(one) if self._keeps_nothing(one) else one
                    for one in dead_letters
                ]
                if dead_letters:
                    await letters.insert_dead_letters(connection, dead_letters)
                dead = len(dead_letters)
                accepted = len(fresh) + len(batch.good) - len(good) - len(gone)
                repeats = len(repeated) + len(back) + len(buried) - dead
                verdicts = Verdicts(accepted, repeats, dead, dropped)
                await self._fence.count(connection, partition, verdicts)
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
            raise UnstorableError(str(error)) from error
        return verdicts

    def _prepared(
        self, good: Sequence[Read]
    ) -> tuple[EventTable, list[Row], Callable[[Sequence[int]], Cells]]:
        """The table, its rows, and how to fold those rows that turn out to be new."""
        if good and isinstance(good[0].event, AlertEvent):
            return ALERT_STEPS, [alert_step_row(read) for read in good], lambda _: {}
        if good and isinstance(good[0].event, FeedbackEvent):
            rows = [
                feedback_row(
                    read,
                    self._pseudonym,
                    content_free=self._content_free(read.event.tenant_id),
                )
                for read in good
            ]
            return FEEDBACK, rows, lambda fresh: _fold_feedback(good, fresh)
        costs = [self._price(_operation(read)) for read in good]
        rows = [
            operation_row(
                read,
                cost,
                self._pseudonym,
                content_free=self._content_free(read.event.tenant_id),
            )
            for read, cost in zip(good, costs, strict=True)
        ]
        return (
            OPERATIONS,
            rows,
            lambda fresh: fold_operations(
                (_operation(good[at]), good[at].at_us, costs[at]) for at in fresh
            ),
        )

    async def make_days_ahead(self, now: Clock) -> None:
        """Partitions for today and the next two days, before anybody needs them."""
        today = now().date()
        for table in (OPERATIONS, FEEDBACK):
            days = {today + timedelta(days=ahead) for ahead in range(DAYS_AHEAD + 1)}
            await self._ensure_days(table, days)

    async def tenants(self) -> Mapping[str, bool]:
        """All tenants, and whether they keep no content."""
        rows = await self._pool.fetch("SELECT tenant_id, content_free FROM tenants")
        return {row["tenant_id"]: row["content_free"] for row in rows}

    async def join_waiting_feedback(self, since: timedelta) -> int:
        """Attribute feedback that named no model to its operation's; answers how many."""
        async with self._pool.acquire() as connection, connection.transaction():
            return await waiting.join(connection, since)

    @asynccontextmanager
    async def relaying(self, most: int) -> AsyncIterator[list[Unpublished]]:
        """Dead letters to publish, if no other process is at it; marked when the block ends."""
        async with self._pool.acquire() as connection, connection.transaction():
            if not await letters.try_relay_lock(connection):
                yield []
                return
            found = await letters.unpublished(connection, most)
            yield found
            await letters.mark_published(connection, found)

    async def check_schema(self) -> None:
        """Raise until the migrations have run."""
        await self._pool.fetchval("SELECT count(*) FROM consumer_fence")

    async def _ensure_days(self, table: EventTable, days: set[date]) -> None:
        if not table.by_day:
            return
        missing = {day for day in days if (table.name, day) not in self._days}
        if not missing:
            return
        async with self._pool.acquire() as connection:
            await events.ensure_days(connection, table, sorted(missing))
        if len(self._days) > MOST_KNOWN_DAYS:
            self._days.clear()
        self._days |= {(table.name, day) for day in missing}


def _kept(good: Sequence[Read]) -> Sequence[Read]:
    """Events that have a table here: exposures are abtest's, of which ingest only buries."""
    return [] if good and isinstance(good[0].event, ExposureEvent) else good


async def _insert(
    connection: Session, table: EventTable, good: Sequence[Read], rows: Sequence[Row]
) -> tuple[list[int], list[int]]:
    """Insert rows; answers the places of the new ones and of the repeated ones."""
    if not good:
        return [], []
    await events.stage(connection, table, rows)
    new = await events.insert_staged(connection, table)
    fresh: list[int] = []
    repeated: list[int] = []
    for place, read in enumerate(good):
        (fresh if read.record.offset in new else repeated).append(place)
    return fresh, repeated


async def _reuses(
    connection: Session,
    table: EventTable,
    reads: Sequence[Read],
    rows: Sequence[Row],
) -> list[DeadLetter]:
    """Of repeated events, those that say something else than the stored one did."""
    if not reads:
        return []
    keys = [EventKey(*read.event.identity) for read in reads]
    stored = await events.stored_hashes(connection, table, keys)
    place = table.columns.index("payload_hash")
    return [
        reused(read)
        for read, key, row in zip(reads, keys, rows, strict=True)
        # One whose time is over may have gone since it was in the way.
        if stored.get(key, row[place]) != row[place]
    ]


def _operation(read: Read) -> OperationEvent:
    assert isinstance(read.event, OperationEvent)  # noqa: S101 - the topic decides the model
    return read.event


def _step(read: Read) -> AlertEvent:
    assert isinstance(read.event, AlertEvent)  # noqa: S101 - the topic decides the model
    return read.event


def _fold_feedback(good: Sequence[Read], fresh: Sequence[int]) -> Cells:
    named = []
    for place in fresh:
        event = good[place].event
        assert isinstance(event, FeedbackEvent)  # noqa: S101 - the topic decides the model
        series = named_series_of(event)
        if series is not None:
            named.append((event, good[place].at_us, series))
    return fold_feedback(named)
