"""Where cells stay: Redis, all of a partition's keys behind its fence."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.metrics.domain.batch import BUCKET_S, Increments
from services.metrics.domain.snapshot import Snapshot
from services.metrics.domain.waiting import Waiting, decode_waiting, fold_waiting
from shared import keys
from shared.clock import Clock
from shared.delivery.generations import Generations
from shared.delivery.plan import Fence, Partition
from shared.delivery.redis import Change, Client, RedisFence
from shared.measures.cells import HOUR, Cell, Cells, Series, by_hour

SEEN_TTL_S = 2 * BUCKET_S + 600
# How long a cell outlives its start: what the longest window of its kind needs, and some more.
KEPT_S = {keys.MINUTE_CELLS: 3 * HOUR, keys.HOUR_CELLS: 8 * 24 * HOUR}
WAITING_MOST = 1_000


def remaining_s(resolution: str, start: int, now: float) -> int:
    """How long a cell will still be kept; not above 0 when it is not kept any more."""
    return int(start + KEPT_S[resolution] - now)


class RedisStore:
    """Live cells of the partitions that this process consumes."""

    def __init__(self, client: Client, now: Clock) -> None:
        self._client = client
        self._fence = RedisFence(client)
        self._generations = Generations(client)
        self._now = now

    async def claim(self, partition: Partition) -> Fence | None:
        """Take a partition over; `None` when its cells are lost or were never there."""
        return await self._fence.claim(partition)

    async def replace(self, partition: Partition, snapshot: Snapshot, next_offset: int) -> None:
        """Put cells made of a snapshot in the place of all there are, as of `next_offset`.

        Raises `FencedError` when the partition was claimed meanwhile.
        """
        draft = await self._generations.begin(partition)
        for resolution, cells in (
            (keys.MINUTE_CELLS, snapshot.minutes),
            (keys.HOUR_CELLS, snapshot.hours),
        ):
            for member, (ttl_s, by_series) in self._members(resolution, cells).items():
                fields = {
                    prefix + measure: count
                    for prefix, cell in by_series.items()
                    for measure, count in cell.items()
                }
                await self._generations.write_cell(
                    partition, draft, member, ttl_s, fields, next_offset
                )
        for bucket, digests in snapshot.seen.items():
            await self._generations.write_seen(partition, draft, bucket, SEEN_TTL_S, digests)
        await self._generations.write_waiting(partition, draft, snapshot.waiting)
        await self._generations.activate(partition, draft, next_offset)

    async def read(self, partition: Partition) -> Fence | None:
        """The fence as stored."""
        return await self._fence.read(partition)

    async def known(
        self, partition: Partition, bucket: int, digests: Sequence[bytes]
    ) -> set[bytes]:
        """Those digests that were seen in this hour or the one before."""
        if not digests:
            return set()
        return await self._fence.known(partition, (bucket, bucket - 1), digests)

    async def add(
        self, partition: Partition, fence: Fence, next_offset: int, gap: int, more: Increments
    ) -> None:
        """Add increments and move the fence in one step."""
        counters = {
            "accepted": more.accepted,
            "duplicates": more.duplicates,
            "invalid": more.invalid,
            "gaps": gap,
        }
        change = Change(
            counters={name: count for name, count in counters.items() if count},
            seen_bucket=more.bucket,
            seen_ttl_s=SEEN_TTL_S,
            seen=more.seen,
            waiting=more.waiting,
            cells=self._by_member(more.cells),
        )
        await self._fence.apply(partition, fence, next_offset, change)

    async def waiting(self, partition: Partition) -> dict[bytes, Waiting]:
        """Feedback of this partition that waits for its operation, some of it at random."""
        name = keys.waiting(*partition, self._fence.generation(partition))
        if not await self._client.hlen(name):
            return {}
        found: Any = await self._client.hrandfield(name, WAITING_MOST, withvalues=True)
        pairs = iter(found or ())
        return {field: decode_waiting(value) for field, value in zip(pairs, pairs, strict=True)}

    async def join(
        self, partition: Partition, fence: Fence, found: Mapping[bytes, tuple[Waiting, Series]]
    ) -> None:
        """Count waiting feedback under the series of its operation, and stop it waiting."""
        cells = self._by_member(fold_waiting(list(found.values())))
        change = Change(joined=list(found), cells=cells)
        await self._fence.apply(partition, fence, fence.next_offset, change)

    def _by_member(self, minutes: Cells) -> dict[str, tuple[int, dict[str, Cell]]]:
        """Increments by cell hash; what is older than its cell would be kept is left out."""
        return self._members(keys.MINUTE_CELLS, minutes) | self._members(
            keys.HOUR_CELLS, by_hour(minutes)
        )

    def _members(self, resolution: str, cells: Cells) -> dict[str, tuple[int, dict[str, Cell]]]:
        now = self._now().timestamp()
        out: dict[str, tuple[int, dict[str, Cell]]] = {}
        for key, cell in cells.items():
            ttl_s = remaining_s(resolution, key.start, now)
            if ttl_s > 0:
                member = keys.cell_member(resolution, key.tenant_id, key.start)
                out.setdefault(member, (ttl_s, {}))[1][keys.field(key.series, "")] = cell
        return out
