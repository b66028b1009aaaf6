"""What notify does with a batch of steps: make a delivery of each for every channel that hears it.

Deliveries and position are one transaction: a step that comes again makes none.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from services.notify.domain.delivery import StepEvent
from services.notify.domain.planning import read_batch
from shared import clock, telemetry
from shared.clock import Clock
from shared.codec import Record, microseconds
from shared.delivery.plan import Fence, Partition
from shared.proof import Proofs

GROUP = "notify"


class Store(Protocol):
    """Where deliveries are kept."""

    async def claim(self, partition: Partition, log_start: int) -> Fence:
        """Take a partition over."""

    async def read(self, partition: Partition) -> Fence | None:
        """The fence as stored."""

    async def plan(
        self,
        partition: Partition,
        fence: Fence,
        events: Collection[StepEvent],
        offsets: tuple[int, int, int],
    ) -> None:
        """Keep deliveries of steps; `offsets`: the next one, the gap, and how many were invalid."""


class Planning:
    """The sink of group `notify`."""

    def __init__(
        self, store: Store, wake: Callable[[], object], now: Clock, proofs: Proofs | None
    ) -> None:
        self._store = store
        self._wake = wake
        self._now = now
        self._proofs = proofs

    async def claim(self, partition: Partition, log_start: int) -> Fence:
        """Take a partition over."""
        return await self._store.claim(partition, log_start)

    async def read(self, partition: Partition) -> Fence | None:
        """The fence as stored."""
        return await self._store.read(partition)

    async def apply(
        self, partition: Partition, fence: Fence, records: Sequence[Record], gap: int
    ) -> Fence:
        """Plan a batch, and wake whoever sends."""
        started = clock.monotonic()
        events, invalid = read_batch(records, microseconds(self._now()), self._proofs)
        next_offset = records[-1].offset + 1
        await self._store.plan(partition, fence, events, (next_offset, gap, invalid))
        self._wake()
        age_s = self._now().timestamp() - records[-1].timestamp / 1000
        told = {"accepted": len(events), "invalid": invalid}
        telemetry.tell_batch(GROUP, told, clock.monotonic() - started, age_s)
        return Fence(fence.epoch, next_offset)
