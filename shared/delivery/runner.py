"""The only place that seeks: brings batches of records to a fenced sink, each exactly once."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import groupby

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from shared import clock, telemetry
from shared.delivery.ends import Bounds, Ends
from shared.delivery.incidents import Incidents
from shared.delivery.plan import Action, Fence, Partition, Plan, plan
from shared.delivery.sink import Sink
from shared.errors import FencedError, IncidentError

RETRY_FIRST_S = 0.1
RETRY_MOST_S = 5.0
RETRY_TOTAL_S = 60.0
WATCH_EVERY_S = 5.0
AT_ONCE = 2  # partitions
PIECE = 1_500  # records

log = structlog.get_logger()


class Runner:
    """Consumes for one group into one sink, in this process."""

    def __init__(
        self,
        group: str,
        sink: Sink,
        consumer: Callable[[], AIOKafkaConsumer],
        *,
        exact_ends: bool = True,
        piece: int = PIECE,
    ) -> None:
        self.group = group
        self.progress_at = clock.monotonic()
        self.batch_at = clock.monotonic()
        self.waits_for_store_since: float | None = None
        self.incidents = Incidents(group)
        self.last: tuple[Partition, Fence] | None = None
        """Where a batch was last written."""
        self.lag: dict[Partition, int] = {}
        self.lag_known_since = clock.monotonic()
        self._sink = sink
        self._consumer = consumer
        self._piece = piece
        self._ends = Ends(consumer, exact=exact_ends)
        self._fences: dict[Partition, Fence] = {}
        # Partition -> the assignment under which we sought its fence. Only a read that began there
        # can show a gap: when somebody else sought meanwhile, what is missing is merely unread.
        self._rewound: dict[Partition, object] = {}
        self._sought: dict[Partition, Fence] = {}
        self._one_at_a_time = asyncio.Lock()

    async def __call__(self, records: Sequence[ConsumerRecord]) -> None:
        """Apply a batch. Returning lets Kafka's hint move on; raising makes it seek back."""
        self.batch_at = clock.monotonic()
        groups = groupby(records, key=lambda one: (one.topic, one.partition))
        async with self._one_at_a_time:
            # Partitions are independent: while one waits for its store, another is decoded.
            turn, deadline = asyncio.Semaphore(AT_ONCE), clock.monotonic() + RETRY_TOTAL_S
            outcomes = await asyncio.gather(
                *(
                    self._deliver(Partition(*key), list(group), turn, deadline)
                    for key, group in groups
                ),
                return_exceptions=True,
            )
        for outcome in outcomes:
            if outcome is not None:
                self._rewound.clear()  # the batch is sought again, wherever its fences are
                raise outcome

    async def watch(self) -> None:
        """Every 5 s, also when idle: claim what is assigned, follow a store that went back."""
        while True:
            await asyncio.sleep(WATCH_EVERY_S)
            try:
                await self._look_around()
            except Exception as error:
                # Store or broker away: whatever it is, the next round looks again.
                self.lag.clear()
                log.warning("watch_deferred", group=self.group, why=repr(error)[:200])

    @property
    def waits_for_log_since(self) -> float | None:
        """Since when the broker has not said where our logs end (monotonic seconds)."""
        return self._ends.silent_since

    def owned(self) -> list[Partition]:
        """Partitions that this process has claimed."""
        return sorted(self._fences)

    def positions(self) -> dict[Partition, int]:
        """The next offset of each of them."""
        return {partition: fence.next_offset for partition, fence in self._fences.items()}

    def fence_of(self, partition: Partition) -> Fence | None:
        """A partition's fence as of now, without a wait; `None` when it is not ours."""
        return self._fences.get(partition)

    @asynccontextmanager
    async def holding(self, partition: Partition) -> AsyncIterator[Fence | None]:
        """The partition's fence, while no batch is being applied; `None` when it is not ours."""
        async with self._one_at_a_time:
            yield self._fences.get(partition)

    async def _deliver(
        self,
        partition: Partition,
        records: list[ConsumerRecord],
        turn: asyncio.Semaphore,
        deadline: float,
    ) -> None:
        """One partition's records in order, in pieces: decoded events are large, memory is not."""
        async with turn:
            for start in range(0, len(records), self._piece):
                await self._persist(partition, records[start : start + self._piece], deadline)
                if partition in self._rewound:
                    return  # sought back: to the next piece, this one would look like a gap

    async def _persist(
        self, partition: Partition, records: list[ConsumerRecord], deadline: float
    ) -> None:
        """Try until the sink has the records, the partition is not ours, or the deadline passed."""
        wait_s = RETRY_FIRST_S
        while True:
            try:
                await self._step(partition, records)
            except asyncio.CancelledError:
                raise_if_stray()
                raise
            except FencedError:
                self._fences.pop(partition, None)
                telemetry.FENCED.labels(self.group).inc()
                if partition not in self.assigned():
                    return  # the new owner has them
                raise
            except Exception as error:
                # The outcome is unknown: claim again, and let the fence say what was applied.
                self._fences.pop(partition, None)
                self.waits_for_store_since = self.waits_for_store_since or clock.monotonic()
                log.warning("sink_retry", group=self.group, why=repr(error)[:300], wait_s=wait_s)
                if clock.monotonic() + wait_s > deadline:
                    raise
                await asyncio.sleep(wait_s * random.uniform(0.5, 1))  # noqa: S311 - jitter
                wait_s = min(wait_s * 2, RETRY_MOST_S)
            else:
                self.waits_for_store_since = None
                return

    async def _step(self, partition: Partition, records: list[ConsumerRecord]) -> None:
        if partition in self.incidents:
            self._pause(partition)  # a rebalance has forgotten that
            return
        try:
            await self._place(partition, records)
        except IncidentError as incident:
            self._stop_at(partition, incident)

    async def _place(self, partition: Partition, records: list[ConsumerRecord]) -> None:
        fence = self._fences.get(partition) or await self._claim(partition)
        offsets = [record.offset for record in records]
        rewound = self._rewound.get(partition) is self._consumer().assignment()
        todo = plan(fence.next_offset, offsets, rewound=rewound)
        if todo.action is Action.REWIND:
            self._rewound[partition] = self._consumer().assignment()
            self._seek(partition, fence.next_offset)
        elif todo.action is Action.DROP:
            # Everything here was applied before. Or the log lost its tail: then the end is lower.
            fence = await self._confirmed(partition, fence)
            self._seek(partition, fence.next_offset)
        elif todo.action is Action.GAP and await self._confirmed(partition, fence) != fence:
            # Not markers: these records have expired. The new claim says where to go on.
            self._seek(partition, self._fences[partition].next_offset)
        else:
            await self._apply(partition, fence, records, todo)

    async def _apply(
        self, partition: Partition, fence: Fence, records: list[ConsumerRecord], todo: Plan
    ) -> None:
        self._rewound.pop(partition, None)
        if todo.gap:
            telemetry.GAPS.labels(self.group).inc(todo.gap)
        fence = await self._sink.apply(partition, fence, records[todo.first :], todo.gap)
        self._fences[partition] = fence
        self.last = partition, fence
        self.progress_at = clock.monotonic()

    async def _confirmed(self, partition: Partition, fence: Fence) -> Fence:
        """The fence if the log allows it; else a new claim, which may rebuild, or an incident."""
        bounds = (await self._ends.bounds([partition]))[partition]
        if self._ends.contradiction(fence.next_offset, bounds) is None:
            return fence
        self._fences.pop(partition, None)
        return await self._claim(partition, bounds)

    async def _claim(self, partition: Partition, bounds: Bounds | None = None) -> Fence:
        bounds = bounds or (await self._ends.bounds([partition]))[partition]
        fence = await self._sink.claim(partition, bounds[0])
        if self._ends.contradiction(fence.next_offset, bounds):
            # The log was asked first, and a claim may wait or rebuild: meanwhile the log has grown,
            # and the fence with it.
            bounds = (await self._ends.bounds([partition]))[partition]
        problem = self._ends.contradiction(fence.next_offset, bounds)
        if problem:
            raise IncidentError(problem)
        self._fences[partition] = fence
        self._rewound.pop(partition, None)
        self.waits_for_store_since = None
        log.info("claimed", group=self.group, partition=partition, fence=fence, log_end=bounds[1])
        return fence

    async def _look_around(self) -> None:
        self.incidents.keep_only(self.assigned())
        looked_at = sorted(self.assigned() - self.incidents.resting())
        # One question for all, and outside the lock: it may wait behind a long fetch.
        bounds = await self._ends.bounds(looked_at) if looked_at else {}
        async with self._one_at_a_time:
            for gone in set(self._fences) - self.assigned():
                del self._fences[gone]
            waited = any(self.lag.values())
            self.lag = {}
            for partition in looked_at:
                if partition in self.assigned():
                    await self._look_at(partition, bounds[partition])
            if not waited:
                self.lag_known_since = clock.monotonic()

    async def _look_at(self, partition: Partition, bounds: Bounds) -> None:
        known, stored = self._fences.get(partition), await self._sink.read(partition)
        # It may also have moved on under our epoch: once a store went back, another process can
        # hold the same one, and what we sought is another position than what we then read from.
        if (
            partition in self.incidents
            or known is None
            or stored is None
            or (stored != known and stored.epoch <= known.epoch)
        ):
            self._fences.pop(partition, None)
            try:
                stored = await self._claim(partition, bounds)
            except IncidentError as incident:
                self._stop_at(partition, incident)
                return
            if self.incidents.over(partition):
                self._consumer().resume(TopicPartition(*partition))
        elif stored.epoch > known.epoch:
            del self._fences[partition]  # another process took over; the next batch tells
            return
        self.lag[partition] = max(0, bounds[1] - stored.next_offset)
        position = await self._consumer().position(TopicPartition(*partition))
        if position != stored.next_offset:
            if position >= bounds[1] and self._sought.get(partition) == stored:
                # Read from here to the end, and nothing came: a transaction's markers are no lag.
                self.lag[partition] = 0
            self._seek(partition, stored.next_offset)
            self._sought[partition] = stored
        telemetry.LAG.labels(self.group, partition.topic, str(partition.partition)).set(
            self.lag[partition]
        )

    def assigned(self) -> set[Partition]:
        """Partitions that the group has given to this process."""
        return {Partition(*one) for one in self._consumer().assignment()}

    def _seek(self, partition: Partition, offset: int) -> None:
        if partition in self.assigned():
            self._consumer().seek(TopicPartition(*partition), offset)

    def _stop_at(self, partition: Partition, incident: IncidentError) -> None:
        """Stand still rather than skip: an operator decides what the contradiction means."""
        self.incidents.note(partition, str(incident))
        self._pause(partition)

    def _pause(self, partition: Partition) -> None:
        if partition in self.assigned():
            self._consumer().pause(TopicPartition(*partition))


def raise_if_stray() -> None:
    """Turn a cancellation that nobody asked for into an error, which nacks instead of losing."""
    task = asyncio.current_task()
    if task is not None and task.cancelling() == 0:
        raise RuntimeError("cancelled by nobody: the batch is delivered again")
