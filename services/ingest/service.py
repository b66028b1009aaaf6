"""What ingest does with a batch: read it, write it once, and lose no record over another."""

from collections.abc import Sequence
from typing import Protocol

import structlog

from services.ingest.domain.batch import (
    Batch,
    UnstorableError,
    bury,
    masked_read,
    read_batch,
    settle_strangers,
)
from shared import clock, telemetry
from shared.clock import Clock
from shared.codec import Record, microseconds
from shared.delivery.plan import Fence, Partition
from shared.privacy.mask import Mask
from shared.proof import Proofs
from shared.tenants import Tenants
from shared.topics import spec_of

GROUP = "ingest"

log = structlog.get_logger()


class Store(Protocol):
    """Where batches stay."""

    async def claim(self, partition: Partition, log_start: int) -> Fence:
        """Take a partition over."""

    async def read(self, partition: Partition) -> Fence | None:
        """The fence as stored."""

    async def write(
        self, partition: Partition, fence: Fence, batch: Batch, next_offset: int, gap: int
    ) -> tuple[int, int, int, int]:
        """Store a batch in one transaction; answers accepted, duplicates, dead, erased.

        Raises `UnstorableError` when a value can never be stored, `FencedError` when not ours.
        """


class Ingest:
    """The sink of group `ingest`."""

    def __init__(
        self,
        store: Store,
        tenants: Tenants,
        topic_prefix: str,
        now: Clock,
        proofs: Proofs | None,
        mask: Mask | None = None,
    ) -> None:
        self._mask = mask
        self._store = store
        self._tenants = tenants
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
        """Store a batch; what the database refuses is halved until the culprit stands alone."""
        started = clock.monotonic()
        next_offset = records[-1].offset + 1
        batch = await self._read(partition, records)
        try:
            verdicts = await self._store.write(partition, fence, batch, next_offset, gap)
        except UnstorableError:
            if len(records) > 1:
                middle = len(records) // 2
                fence = await self.apply(partition, fence, records[:middle], gap)
                return await self.apply(partition, fence, records[middle:], 0)
            verdicts = await self._store.write(partition, fence, bury(batch), next_offset, gap)
        self._tell(records, verdicts, clock.monotonic() - started)
        return Fence(fence.epoch, next_offset)

    async def _read(self, partition: Partition, records: Sequence[Record]) -> Batch:
        model = spec_of(partition.topic, self._topic_prefix).event
        now_us = microseconds(self._now())
        batch = read_batch(model, records, self._tenants, now_us, self._proofs)
        if batch.strangers:
            await self._tenants.look_again(one.event.tenant_id for one in batch.strangers)
            settle_strangers(batch, self._tenants)
        return batch if self._mask is None else await _masked(batch, self._mask)

    def _tell(
        self, records: Sequence[Record], verdicts: tuple[int, int, int, int], seconds: float
    ) -> None:
        told = dict(zip(("accepted", "duplicate", "dead", "erased"), verdicts, strict=True))
        age_s = self._now().timestamp() - records[-1].timestamp / 1000
        telemetry.tell_batch(GROUP, told, seconds, age_s)
        log.debug("batch", **told, seconds=seconds)


async def _masked(batch: Batch, mask: Mask) -> Batch:
    """The batch with masked texts, also in what is to be buried."""
    events = await mask.events([read.event for read in batch.good])
    good = [masked_read(read, event) for read, event in zip(batch.good, events, strict=True)]
    dead = [
        letter
        if letter.record_value is None
        else letter._replace(record_value=await mask.letter(letter.record_value))
        for letter in batch.dead
    ]
    return Batch(good, dead)
