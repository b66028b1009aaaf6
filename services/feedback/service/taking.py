"""What feedback does with a batch: read each comment, keep what was said, once."""

from collections.abc import Sequence
from typing import Protocol

import structlog

from services.feedback.domain.batch import Batch, Outcome, read_batch
from shared import clock, telemetry
from shared.clock import Clock
from shared.codec import Record, microseconds
from shared.delivery.plan import Fence, Partition
from shared.privacy.mask import Mask
from shared.proof import Proofs

GROUP = "feedback"

log = structlog.get_logger()


class Store(Protocol):
    """Where it stays."""

    async def claim(self, partition: Partition, log_start: int) -> Fence:
        """Take a partition over."""

    async def read(self, partition: Partition) -> Fence | None:
        """The fence as stored."""

    async def write(
        self, partition: Partition, fence: Fence, batch: Batch, next_offset: int, gap: int
    ) -> Outcome:
        """Keep a batch in one transaction; `FencedError` if the fence is not ours."""


class Taking:
    """The sink of group `feedback`."""

    def __init__(
        self, store: Store, now: Clock, proofs: Proofs | None, mask: Mask | None = None
    ) -> None:
        self._mask = mask
        self._store = store
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
        """Keep a batch."""
        started = clock.monotonic()
        next_offset = records[-1].offset + 1
        batch = read_batch(records, microseconds(self._now()), self._proofs)
        if self._mask is not None:
            batch.events = await self._mask.events(batch.events)
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
        age_s = self._now().timestamp() - records[-1].timestamp / 1000
        telemetry.tell_batch(GROUP, told, seconds, age_s)
        log.debug("batch", accepted=outcome.accepted, invalid=outcome.invalid, seconds=seconds)
