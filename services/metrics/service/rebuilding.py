"""Builds a partition's live cells anew from what ingest has stored."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

import structlog

from services.metrics.domain.snapshot import Snapshot
from shared import clock, telemetry
from shared.delivery.plan import Partition

Take = Callable[[Partition], Awaitable[Snapshot]]

log = structlog.get_logger()


class Store(Protocol):
    """Where cells stay."""

    async def replace(self, partition: Partition, snapshot: Snapshot, next_offset: int) -> None:
        """Put cells made of a snapshot in the place of all there are."""


class Rebuilt(NamedTuple):
    """What a rebuild did."""

    next_offset: int
    minutes: int
    hours: int
    identities: int


async def rebuild(take: Take, store: Store, partition: Partition, log_start: int) -> Rebuilt:
    """Replace a partition's cells; consuming goes on where the snapshot ends.

    What ingest has not stored yet is read from the log. A partition that ingest has never seen
    begins at `log_start`.
    """
    started = clock.monotonic()
    snapshot = await take(partition)
    next_offset = log_start if snapshot.next_offset is None else snapshot.next_offset
    await store.replace(partition, snapshot, next_offset)
    identities = sum(map(len, snapshot.seen.values()))
    done = Rebuilt(next_offset, len(snapshot.minutes), len(snapshot.hours), identities)
    telemetry.REBUILDS.inc()
    log.info("rebuilt", partition=partition, seconds=clock.monotonic() - started, **done._asdict())
    return done
