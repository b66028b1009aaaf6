"""Processes that consume a log in memory with the real runner; each stops wherever one says."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

from aiokafka.errors import IllegalStateError

from services.metrics.domain.snapshot import Snapshot
from services.metrics.service.intake import Metrics
from services.metrics.service.rebuilding import rebuild
from shared.delivery.plan import Fence, Partition
from shared.delivery.runner import Runner
from shared.errors import FencedError
from tests.unit.delivery.world import Consumer, Logs, Part, Record, Store

EXPECTED = (TimeoutError, RuntimeError, FencedError, IllegalStateError)
HOPS = 60
"""Turns of the loop after which everything has come to where a stopped task lets it."""


class Link:
    """One process's connection to its store: waits before or after a request, or fails."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.hold: str | None = None
        self.fault: str | None = None
        self.gate: asyncio.Event | None = None
        self.answers: dict[Partition, tuple[int, Fence]] = {}
        """What the last claims found, and the store's era then."""
        self._claims: dict[Partition, tuple[int, int]] = {}

    async def reach(self, point: str) -> None:
        """Stand still here, once, if this is the point to hold at; fail here, once."""
        if self.hold == point:
            self.hold, self.gate = None, asyncio.Event()
            try:
                await self.gate.wait()
            finally:
                self.gate = None
        if self.fault == point:
            self.fault = None
            raise TimeoutError(f"nobody knows what became of it: {point}")

    async def claim(self, partition: Partition, log_start: int) -> Fence:
        fence = await self.claim_known(partition, log_start)
        assert fence is not None
        return fence

    async def claim_known(self, partition: Partition, log_start: int | None) -> Fence | None:
        """Claim; where nothing is known of the partition only if there is an offset to begin at."""
        await self.reach("claim")
        fence = self.store.claim(partition, log_start)
        if fence is not None:
            self.store.claims[partition] += 1
            self._claims[partition] = (self.store.era, self.store.claims[partition])
            self.answers[partition] = (self.store.era, fence)
        await self.reach("claimed")
        return fence

    async def read(self, partition: Partition) -> Fence | None:
        return self.store.read(partition)

    async def apply(
        self, partition: Partition, fence: Fence, records: Sequence[Any], gap: int
    ) -> Fence:
        await self.reach("apply")
        moved = self.store.apply(partition, fence, records, gap)
        # Not raised here: the runner would take it for a store that is away, and try again.
        era, number = self._claims[partition]
        self.store.zombies += era == self.store.era and number < self.store.claims[partition]
        await self.reach("applied")
        return moved


class LiveStore:
    """What metrics asks of Redis, over a store in memory; content is what ingest has kept."""

    def __init__(self, link: Link, source: Store) -> None:
        self._link = link
        self._source = source

    async def take(self, partition: Partition) -> Snapshot:
        """Ingest's position and content at one instant."""
        part = self._source.parts.get(partition)
        snapshot = Snapshot(part and part.fence.next_offset)
        if part is not None:
            snapshot.seen = {part.base: list(part.kept)}  # type: ignore[arg-type]
        await self._link.reach("rebuild")
        return snapshot

    async def replace(self, partition: Partition, snapshot: Snapshot, next_offset: int) -> None:
        """As `Generations` does: read the epoch, write, put in place if the epoch is the same."""
        found = self._link.store.read(partition)
        ((base, kept),) = snapshot.seen.items() or [(next_offset, [])]
        part = Part(Fence(0, next_offset), base, tuple(kept))  # type: ignore[arg-type]
        await self._link.reach("activate")
        self._link.store.replace(partition, found.epoch if found else 0, part)

    async def claim(self, partition: Partition) -> Fence | None:
        return await self._link.claim_known(partition, None)


class Live(Metrics):
    """Metrics' own way to claim, with records that need no decoding."""

    def __init__(self, link: Link, source: Store) -> None:
        store: Any = LiveStore(link, source)
        unused: Any = None
        super().__init__(store, partial(rebuild, store.take, store), unused, "", *(unused,) * 3)
        self._link = link

    async def read(self, partition: Partition) -> Fence | None:
        return await self._link.read(partition)

    async def apply(self, *what: Any) -> Fence:
        return await self._link.apply(*what)


class Process:
    """One consuming process: its consumer, its runner, its connection, its tasks."""

    def __init__(self, logs: Logs, store: Store, source: Store | None) -> None:
        self.consumer = Consumer(logs)
        self.link = Link(store)
        sink: Any = self.link if source is None else Live(self.link, source)
        consumer: Any = self.consumer
        self.runner = Runner("model", sink, lambda: consumer)
        self.batch: asyncio.Task[None] | None = None
        self.watch: asyncio.Task[None] | None = None
        self.holds: list[Record] = []
        """What it has polled and not finished with."""

    async def deliver(
        self, most: int, *, hold: str | None = None, fault: str | None = None
    ) -> None:
        """One turn of FastStream's loop; if one is held somewhere, that one goes on."""
        if self.batch is not None and not self.batch.done():
            await self.release()
            return
        self.link.hold, self.link.fault = hold, fault
        self.holds = self.consumer.poll(most)
        self.batch = asyncio.ensure_future(self._consume())
        await self._settle()

    async def look_around(self, *, hold: str | None = None) -> None:
        """One turn of the watch; while a batch is held it waits for that."""
        if self.watch is None or self.watch.done():
            if self.link.gate is None:
                self.link.hold, self.link.fault = hold, None
            self.watch = asyncio.ensure_future(self._look())
        await self._settle()

    async def release(self) -> None:
        """Go on from where it was held."""
        self.link.hold = None
        if self.link.gate is not None:
            self.link.gate.set()
        await self._settle()

    async def kill(self) -> None:
        """Nothing more happens here; what the store was asked before, has happened."""
        tasks = [task for task in (self.batch, self.watch) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _consume(self) -> None:
        try:
            if self.holds:
                await self.runner(self.holds)
        except EXPECTED:
            self.consumer.nack(self.holds)
        self.holds = []

    async def _look(self) -> None:
        try:
            await self.runner._look_around()
        except EXPECTED:
            return  # the next round looks again

    async def _settle(self) -> None:
        """Until all is done, or stands still at the gate and has had time to get there."""
        hops, tasks = 0, [task for task in (self.batch, self.watch) if task is not None]
        while hops < HOPS and not all(task.done() for task in tasks):
            hops += self.link.gate is not None
            await asyncio.sleep(0)
        for task in tasks:
            if task.done():
                task.result()  # what nobody expects fails the test
