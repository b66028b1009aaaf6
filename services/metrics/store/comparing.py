"""Live cells as they are at one instant, and their mending, whoever consumes the partition."""

from collections.abc import Iterable, Sequence
from typing import Any

from services.metrics.domain.difference import Cut, Deltas
from services.metrics.domain.waiting import decode_waiting
from services.metrics.store.cells import remaining_s
from shared import keys
from shared.clock import Clock
from shared.delivery.plan import Partition
from shared.delivery.redis import Change, Client, RedisFence
from shared.delivery.scripts import LOOK
from shared.measures.cells import Cell, Series

# A cell that is about to expire is not worth a comparison: it may be gone on either side.
EXPIRING_S = 900


class RedisComparison:
    """Reads and mends cells of any partition."""

    def __init__(self, client: Client, now: Clock) -> None:
        self._client = client
        self._fence = RedisFence(client)
        self._look = client.register_script(LOOK)
        self._now = now

    async def generation(self, partition: Partition) -> int | None:
        """The generation in use; `None` when the partition has no live cells."""
        found = await self._client.hget(keys.fence(*partition), "gen")
        return None if found is None else int(found)

    async def changed(self, partition: Partition, generation: int, since: int) -> list[str]:
        """Cells that changed at or after an offset; forgets the names of expired ones."""
        name = keys.touched(*partition, generation)
        found: Any = await self._client.zrangebyscore(name, since, "+inf")
        members = [member.decode() for member in found]
        now = self._now().timestamp()
        gone = [member for member in members if _left_s(member, now) <= 0]
        if gone:
            await self._client.zrem(name, *gone)
        return self.lasting(members)

    def lasting(self, members: Iterable[str]) -> list[str]:
        """Those that will not expire while they are compared."""
        now = self._now().timestamp()
        return [member for member in members if _left_s(member, now) > EXPIRING_S]

    async def cut(
        self, partition: Partition, generation: int, members: Sequence[str]
    ) -> Cut | None:
        """These cells at one instant; `None` when the generation is not in use any more."""
        names = [
            keys.fence(*partition),
            keys.waiting(*partition, generation),
            *(keys.cell(*partition, generation, member) for member in members),
        ]
        found: Any = await self._look(keys=names, args=[generation])
        if found is None:
            return None
        next_offset, waiting, cells = found
        contents = {member: _content(flat) for member, flat in zip(members, cells, strict=True)}
        fields = iter(waiting)
        waits = {field: decode_waiting(value) for field, value in zip(fields, fields, strict=True)}
        return Cut(next_offset, generation, contents, waits)

    async def mend(self, partition: Partition, generation: int, deltas: Deltas) -> bool:
        """Add what is lacking; false when the generation is not in use any more."""
        now = self._now().timestamp()
        cells = {}
        for member, by_series in deltas.items():
            if (left_s := _left_s(member, now)) > 0:
                increments = {keys.field(series, ""): cell for series, cell in by_series.items()}
                cells[member] = (left_s, increments)
        return await self._fence.amend(partition, generation, Change(cells=cells))


def _left_s(member: str, now: float) -> int:
    resolution, _, start = keys.split_member(member)
    return remaining_s(resolution, start, now)


def _content(flat: Sequence[bytes]) -> dict[Series, Cell]:
    out: dict[Series, Cell] = {}
    pairs = iter(flat)
    for field, value in zip(pairs, pairs, strict=True):
        count = int(value)
        if count:
            series, measure = keys.split_field(field.decode())
            out.setdefault(series, {})[measure] = count
    return out
