"""Keeps the views of this process' share of models up to date."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from services.metrics.domain.addresses import CellAddress, Position
from services.metrics.domain.answers import render
from services.metrics.domain.status import Shown
from services.metrics.domain.windows import STEP, Model, Place, SeriesCells, Windows
from shared.clock import Clock
from shared.delivery.plan import Partition
from shared.keys import HOUR_CELLS, MINUTE_CELLS, WINDOWS, share_of, split_member
from shared.measures.cells import HOUR, Cell, Series

# Cells further back than this are in no window.
REACH_S = {MINUTE_CELLS: 2 * HOUR, HOUR_CELLS: WINDOWS["7d"] + 2 * HOUR}


# Of a cell that we load we do not know when its events came. An agent's clock may be an hour slow.
SLOW_CLOCK_S = HOUR


class ViewStore(Protocol):
    """Where cells are read and views are written."""

    async def positions(self, partitions: Sequence[Partition]) -> dict[Partition, Position]:
        """Positions of those partitions that have one."""

    async def touched(self, partition: Partition, generation: int, since: int) -> Sequence[str]:
        """Members of cells that changed at or after an offset."""

    async def cells(self, addresses: Sequence[CellAddress]) -> list[dict[Series, Cell]]:
        """Contents of cells."""

    async def show(self, model: Model, fields: Mapping[str, str], line: str) -> None:
        """Replace a model's view."""

    async def hide(self, model: Model) -> None:
        """Remove a model's view."""

    async def looked(self, shares: Iterable[int], at_ms: int) -> None:
        """Say that these shares' views are right as of now."""


class ViewKeeper:
    """The views of the models whose share belongs to partitions that we consume."""

    def __init__(
        self,
        store: ViewStore,
        topics: Sequence[str],
        partitions: int,
        now: Clock,
        health: Callable[[Model, Mapping[str, SeriesCells]], Shown],
    ) -> None:
        self._store = store
        self._health = health
        self._partitions = [Partition(topic, n) for topic in topics for n in range(partitions)]
        self._count = partitions
        self._now = now
        self._shares: frozenset[int] = frozenset()
        self._seen: dict[Partition, Position] = {}
        self._windows = Windows(0.0)
        self._is_whole = False

    def whole(self, share: int) -> Windows | None:
        """What the views are made of, if it holds all there is of a share; else nothing."""
        return self._windows if self._is_whole and share in self._shares else None

    async def look(self, shares: Iterable[int]) -> None:
        """Bring our views up to now; `shares` are the operations partitions that we consume."""
        now = self._now().timestamp()
        self._take_over(frozenset(shares), now)
        if not self._shares:
            return
        self._windows.advance(now)
        positions = await self._store.positions(self._partitions)
        for partition in self._partitions:
            await self._follow(partition, positions.get(partition), now)
        for model in sorted(self._windows.dirty):
            await self._show(model, now)
        await self._store.looked(self._shares, int(now * 1000))
        self._is_whole = len(positions) == len(self._partitions)

    def _take_over(self, shares: frozenset[int], now: float) -> None:
        if shares != self._shares:
            self._shares = shares
            self._is_whole = False
            self._seen.clear()
            self._windows = Windows(now, lambda model: share_of(*model, self._count) in shares)

    async def _follow(self, partition: Partition, position: Position | None, now: float) -> None:
        seen = self._seen.get(partition)
        if position is None:
            self._is_whole = False
            if seen is not None:
                self._windows.forget(partition)
                del self._seen[partition]
            return
        # After a crash of Redis or a take-over, cells may be older than we knew them.
        if seen is not None and seen[::2] == position[::2] and seen <= position:
            since = seen.next_offset
        else:
            self._is_whole = False
            self._windows.forget(partition)
            since = 0
        members = await self._store.touched(partition, position.generation, since)
        addresses = [
            CellAddress(partition, position.generation, member)
            for member in members
            if _in_reach(member, now)
        ]
        contents = await self._store.cells(addresses)
        for address, content in zip(addresses, contents, strict=True):
            place = Place(partition, *split_member(address.member))
            known_by = None if since else place.start + STEP[place.resolution] + SLOW_CLOCK_S
            self._windows.put(place, content, arrived=known_by)
        self._seen[partition] = position

    async def _show(self, model: Model, now: float) -> None:
        # Before it is written: what becomes known meanwhile is shown next time.
        self._windows.dirty.discard(model)
        windows = self._windows
        try:
            if windows.retire(model):
                await self._store.hide(model)
            else:
                health = self._health(model, windows.sums(model))
                await self._store.show(model, *render(windows, model, health, now))
        except BaseException:
            windows.dirty.add(model)
            raise


def _in_reach(member: str, now: float) -> bool:
    resolution, _, start = split_member(member)
    return start >= now - REACH_S[resolution]
