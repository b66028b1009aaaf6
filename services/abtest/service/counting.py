"""What abtest does with a batch: count for each test what concerns it, once."""

from collections.abc import Sequence
from typing import Protocol

import structlog

from services.abtest.domain.batch import Batch, Outcome, read_batch
from shared import clock, telemetry
from shared.clock import Clock
from shared.codec import Record, microseconds
from shared.delivery.plan import Fence, Partition
from shared.proof import Proofs
from shared.topics import spec_of

GROUP = "abtest"

log = structlog.get_logger()


class Store(Protocol):
    """Where units and sums stay."""

    async def claim(self, partition: Partition, log_start: int) -> Fence:
        """Take a partition over."""

    async def read(self, partition: Partition) -> Fence | None:
        """The fence as stored."""

    async def write(
        self, partition: Partition, fence: Fence, batch: Batch, next_offset: int, gap: int
    ) -> Outcome:
        """Store what of a batch concerns tests in one transaction; `FencedError` if not ours."""


class Counting:
    """The sink of group `abtest`."""

    def __init__(self, store: Store, topic_prefix: str, now: Clock, proofs: Proofs | None) -> None:
        self._store = store
        self._topic_prefix = topic_prefix
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
        """Count a batch."""
        started = clock.monotonic()
        next_offset = records[-1].offset + 1
        model = spec_of(partition.topic, self._topic_prefix).event
        batch = read_batch(model, records, microseconds(self._now()), self._proofs)
        outcome = await self._store.write(partition, fence, batch, next_offset, gap)
        self._tell(records, outcome, clock.monotonic() - started)
        return Fence(fence.epoch, next_offset)

    def _tell(self, records: Sequence[Record], outcome: Outcome, seconds: float) -> None:
        told = {
            "accepted": outcome.accepted,
            "duplicate": outcome.duplicates,
            "ignored": outcome.ignored,
            "invalid": outcome.invalid,
            "erased": outcome.erased,
        }
        for why, count in outcome.exposures.items():
            telemetry.EXPOSURES_IGNORED.labels(why).inc(count)
        age_s = self._now().timestamp() - records[-1].timestamp / 1000
        telemetry.tell_batch(GROUP, told, seconds, age_s)
        log.debug("batch", accepted=outcome.accepted, invalid=outcome.invalid, seconds=seconds)
