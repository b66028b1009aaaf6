"""Compares a partition's live cells with what Postgres holds, and mends any difference.

Both sides are read as of the same record: the cells expect offset M; Postgres' minutes, once
ingest is at M or further, lose whatever later records brought them. Differences are added, never
written over: what is counted meanwhile stays counted.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from services.metrics.domain.difference import (
    Cut,
    Deltas,
    Evidence,
    Range,
    differences,
    ranges,
    unsettled_members,
)
from services.metrics.domain.waiting import Waiting
from shared import clock, keys, telemetry
from shared.clock import Clock
from shared.delivery.plan import Partition
from shared.measures.cells import HOUR

PIECE = 200  # cells
MOST_AHEAD = 100_000  # records that ingest may be ahead of the cells
TOGETHER_WITHIN_S = 15.0
POLL_S = 0.2
SHOWN = 20
REACH = timedelta(days=8)  # as far back as any cell
LATELY = timedelta(minutes=15)
NOTHING_YET = 2**53  # above every offset: what changed before is compared in the partition's turn

REBUILT = "its cells were rebuilt meanwhile"

log = structlog.get_logger()


class Live(Protocol):
    """The cells."""

    async def generation(self, partition: Partition) -> int | None:
        """The generation in use."""

    async def changed(self, partition: Partition, generation: int, since: int) -> list[str]:
        """Cells that changed at or after an offset."""

    def lasting(self, members: Iterable[str]) -> list[str]:
        """Those that will not expire while they are compared."""

    async def cut(
        self, partition: Partition, generation: int, members: Sequence[str]
    ) -> Cut | None:
        """These cells at one instant."""

    async def mend(self, partition: Partition, generation: int, deltas: Deltas) -> bool:
        """Add what is lacking."""


class Stored(Protocol):
    """Postgres."""

    async def position(self, partition: Partition) -> int | None:
        """Where ingest stands."""

    async def places(self, partition: Partition, since: datetime) -> list[tuple[str, int]]:
        """Tenant and start of every minute since then."""

    async def evidence(
        self,
        partition: Partition,
        next_offset: int,
        most_ahead: int,
        wanted: Sequence[Range],
        waiting: Mapping[bytes, Waiting],
    ) -> Evidence | None:
        """What cells that expect `next_offset` should hold."""


@dataclass(slots=True)
class Comparison:
    """What came of comparing one partition."""

    partition: Partition
    cells: int = 0
    differences: Deltas = field(default_factory=dict)
    mended: int = 0
    skipped: str | None = None
    next_offset: int | None = None
    """What changes at or after this offset may not have been compared."""

    @property
    def measures(self) -> int:
        """How many single numbers differed."""
        return sum(len(cell) for by in self.differences.values() for cell in by.values())


class _NotComparableError(Exception):
    """Why a partition, or the rest of it, was not compared."""


class Comparer:
    """Compares partitions, one at a time."""

    def __init__(
        self,
        live: Live,
        stored: Stored,
        *,
        durable: bool = True,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._live = live
        self._stored = stored
        # A broker that forgets uses its offsets again: then rows cannot be told apart by them,
        # and both sides must stand at the very same record.
        self._most_ahead = MOST_AHEAD if durable else 0
        self._sleep = sleep

    async def compare(
        self, partition: Partition, *, since: int, minutes_since: datetime, mend: bool
    ) -> Comparison:
        """Compare cells that changed at or after an offset, and those of minutes stored lately."""
        done = Comparison(partition)
        generation = await self._live.generation(partition)
        if generation is None:
            done.skipped = "it has no live cells"
            return done
        members = await self._members(partition, generation, since, minutes_since)
        try:
            for start in range(0, len(members), PIECE):
                piece = members[start : start + PIECE]
                await self._piece(done, generation, piece, mend=mend)
        except _NotComparableError as error:
            done.skipped = str(error)
        _tell(done)
        return done

    async def _members(
        self, partition: Partition, generation: int, since: int, minutes_since: datetime
    ) -> list[str]:
        members = set(await self._live.changed(partition, generation, since))
        for tenant, minute in await self._stored.places(partition, minutes_since):
            members.add(keys.cell_member(keys.HOUR_CELLS, tenant, minute - minute % HOUR))
            members.add(keys.cell_member(keys.MINUTE_CELLS, tenant, minute))
        return sorted(self._live.lasting(members))

    async def _piece(
        self, done: Comparison, generation: int, members: Sequence[str], *, mend: bool
    ) -> None:
        give_up_at = clock.monotonic() + TOGETHER_WITHIN_S
        left = list(members)
        while left:
            cut, evidence = await self._sides(done.partition, generation, left, give_up_at)
            if done.next_offset is None:
                done.next_offset = cut.next_offset
            found = differences(cut, evidence)
            done.differences.update(found)
            if found and mend:
                if not await self._live.mend(done.partition, generation, found):
                    raise _NotComparableError(REBUILT)
                done.mended += len(found)
            unsettled = sorted(unsettled_members(cut, evidence))
            done.cells += len(left) - len(unsettled)
            left = unsettled
            if left:
                await self._wait(give_up_at, "ingest has not attributed all feedback yet")

    async def _sides(
        self, partition: Partition, generation: int, members: Sequence[str], give_up_at: float
    ) -> tuple[Cut, Evidence]:
        while True:
            cut = await self._live.cut(partition, generation, members)
            if cut is None:
                raise _NotComparableError(REBUILT)
            while (await self._stored.position(partition) or 0) < cut.next_offset:
                await self._wait(give_up_at, "ingest is behind")
            evidence = await self._stored.evidence(
                partition, cut.next_offset, self._most_ahead, ranges(cut.cells), cut.waiting
            )
            if evidence is not None:
                return cut, evidence
            await self._wait(give_up_at, "ingest is too far ahead")

    async def _wait(self, give_up_at: float, why: str) -> None:
        if clock.monotonic() > give_up_at:
            raise _NotComparableError(why)
        await self._sleep(POLL_S)


class Rounds:
    """The comparisons of one process: each round what changed, and one partition as a whole."""

    def __init__(
        self, comparer: Comparer, owned: Callable[[], Sequence[Partition]], now: Clock
    ) -> None:
        self._comparer = comparer
        self._owned = owned
        self._now = now
        self._since: dict[Partition, int] = {}
        self._turn = 0

    async def __call__(self) -> None:
        """One round."""
        owned = self._owned()
        self._since = {one: at for one, at in self._since.items() if one in owned}
        for place, partition in enumerate(owned):
            whole = place == self._turn % len(owned)
            reach = REACH if whole else LATELY
            done = await self._comparer.compare(
                partition,
                since=0 if whole else self._since.get(partition, NOTHING_YET),
                minutes_since=self._now() - reach,
                mend=True,
            )
            if done.next_offset is not None and done.skipped is None:
                self._since[partition] = done.next_offset
        self._turn += 1


def _tell(done: Comparison) -> None:
    if done.skipped:
        log.info("not_compared", partition=done.partition, why=done.skipped)
    if done.differences:
        telemetry.DIFFERENCES.inc(done.measures)
        log.error(
            "cells_differ",
            partition=done.partition,
            cells=sorted(done.differences)[:SHOWN],
            measures=done.measures,
            mended=done.mended,
        )
