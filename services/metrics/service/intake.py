"""What metrics does with a batch: fold what is new, write it once."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import structlog

from services.metrics.domain.batch import (
    Increments,
    Price,
    Timed,
    bucket_of,
    digest,
    increments,
    read_batch,
)
from shared import clock, telemetry
from shared.clock import Clock
from shared.codec import Record, microseconds
from shared.delivery.plan import Fence, Partition
from shared.proof import Proofs
from shared.tenants import Tenants
from shared.topics import spec_of

GROUP = "metrics"

Rebuild = Callable[[Partition, int], Awaitable[object]]
"""Puts cells made from Postgres in a partition's place; where nothing is known, from an offset."""

log = structlog.get_logger()


class Store(Protocol):
    """Where cells stay."""

    async def claim(self, partition: Partition) -> Fence | None:
        """Take a partition over; `None` when its cells are lost or were never there."""

    async def read(self, partition: Partition) -> Fence | None:
        """The fence as stored."""

    async def known(
        self, partition: Partition, bucket: int, digests: Sequence[bytes]
    ) -> set[bytes]:
        """Those digests that were seen in this hour or the one before."""

    async def add(
        self, partition: Partition, fence: Fence, next_offset: int, gap: int, more: Increments
    ) -> None:
        """Add increments and move the fence in one step."""


class Metrics:
    """The sink of group `metrics`."""

    def __init__(  # noqa: PLR0913, PLR0917 - what it is made of, once
        self,
        store: Store,
        rebuild: Rebuild,
        tenants: Tenants,
        topic_prefix: str,
        price: Price,
        now: Clock,
        proofs: Proofs | None,
    ) -> None:
        self._store = store
        self._rebuild = rebuild
        self._tenants = tenants
        self._topic_prefix = topic_prefix
        self._price = price
        self._now = now
        self._proofs = proofs

    async def claim(self, partition: Partition, log_start: int) -> Fence:
        """Take a partition over; cells that are lost, or behind the log, are rebuilt first."""
        fence = await self._store.claim(partition)
        if fence is None or fence.next_offset < log_start:
            await self._rebuild(partition, log_start)
            fence = await self._store.claim(partition)
        if fence is None:
            raise RuntimeError(f"the fence of {partition} vanished while it was claimed")
        return fence

    async def read(self, partition: Partition) -> Fence | None:
        """The fence as stored."""
        return await self._store.read(partition)

    async def apply(
        self, partition: Partition, fence: Fence, records: Sequence[Record], gap: int
    ) -> Fence:
        """Add a batch to its cells."""
        started = clock.monotonic()
        events, invalid = await self._read(partition, records)
        bucket = bucket_of(records[0])
        digests = [digest(timed) for timed in events]
        known = await self._store.known(partition, bucket, digests)
        more = increments(events, digests, known, bucket, self._price)
        more.invalid = invalid
        next_offset = records[-1].offset + 1
        await self._store.add(partition, fence, next_offset, gap, more)
        self._tell(records, more, clock.monotonic() - started)
        return Fence(fence.epoch, next_offset)

    async def _read(
        self, partition: Partition, records: Sequence[Record]
    ) -> tuple[list[Timed], int]:
        model = spec_of(partition.topic, self._topic_prefix).event
        now_us = microseconds(self._now())
        read = read_batch(model, records, self._tenants, now_us, self._proofs)
        if not read.strangers:
            return read.events, read.invalid
        await self._tenants.look_again(timed[0].tenant_id for timed in read.strangers)
        found = [timed for timed in read.strangers if timed[0].tenant_id in self._tenants]
        return read.events + found, read.invalid + len(read.strangers) - len(found)

    def _tell(self, records: Sequence[Record], more: Increments, seconds: float) -> None:
        told = {
            "accepted": more.accepted,
            "duplicate": more.duplicates,
            "invalid": more.invalid,
        }
        age_s = self._now().timestamp() - records[-1].timestamp / 1000
        telemetry.tell_batch(GROUP, told, seconds, age_s)
        log.debug("batch", accepted=more.accepted, duplicates=more.duplicates, seconds=seconds)
