"""The fence in Redis: increments and position are one script, all in one partition's hash slot.

Everything a script touches is under the partition's hash tag, so it also runs in a cluster.
Values are integers only: a replayed or re-ordered batch cannot leave a rounding error.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import to_json
from redis.asyncio import Redis, RedisCluster

from shared import keys
from shared.delivery.faults import FAULTS
from shared.delivery.plan import Fence, Partition
from shared.delivery.scripts import APPLY, CLAIM, KNOWN
from shared.errors import FencedError

AMEND_ATTEMPTS = 50

Client = Redis | RedisCluster
Increments = Mapping[str, Mapping[str, int]]
"""Deltas by field of a hash: what a field begins with, then its rest."""


@dataclass(slots=True)
class Change:
    """Everything one batch does to one partition, applied whole or not at all."""

    counters: Mapping[str, int] = field(default_factory=dict)
    seen_bucket: int = 0
    seen_ttl_s: int = 1
    seen: Sequence[bytes] = ()
    waiting: Mapping[bytes, bytes] = field(default_factory=dict)
    joined: Sequence[bytes] = ()
    cells: Mapping[str, tuple[int, Increments]] = field(default_factory=dict)
    """Cell member -> (TTL in seconds, increments)."""


class RedisFence:
    """Fences of the partitions that this process consumes into Redis."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._claim = client.register_script(CLAIM)
        self._known = client.register_script(KNOWN)
        self._apply = client.register_script(APPLY)
        self._generation: dict[Partition, int] = {}

    async def claim(self, partition: Partition) -> Fence | None:
        """A new epoch for this process; `None` when nothing is known of the partition."""
        found = await self._claim(keys=[keys.fence(*partition)])
        if found is None:
            return None
        epoch, next_offset, generation = found
        self._generation[partition] = generation
        return Fence(epoch, next_offset)

    async def read(self, partition: Partition) -> Fence | None:
        """The fence as stored."""
        epoch, next_offset = await self._client.hmget(keys.fence(*partition), ["epoch", "next"])
        if epoch is None or next_offset is None:
            return None
        return Fence(int(epoch), int(next_offset))

    def generation(self, partition: Partition) -> int:
        """The generation of cells that the last claim found."""
        return self._generation[partition]

    async def known(
        self, partition: Partition, buckets: Sequence[int], digests: Sequence[bytes]
    ) -> set[bytes]:
        """Those digests, all of one length, that any of these buckets has seen."""
        generation = self._generation[partition]
        names = [keys.seen(*partition, generation, bucket) for bucket in buckets]
        places = await self._known(keys=names, args=[len(digests[0]), b"".join(digests)])
        return {digests[place] for place in places}

    async def apply(
        self, partition: Partition, fence: Fence, next_offset: int, change: Change
    ) -> bool:
        """Apply a change under the fence; false when a waiting entry was joined by someone else.

        `next_offset` may equal the fence's own, for changes that no record brought.
        """
        FAULTS.reach("redis.before_apply")
        done = await self._run(partition, self._generation[partition], fence, next_offset, change)
        FAULTS.reach("redis.after_apply")
        if done == 0:
            raise FencedError(f"{partition} epoch {fence.epoch}")
        return done == 1

    async def amend(self, partition: Partition, generation: int, change: Change) -> bool:
        """Apply a change that no record brought, whoever owns the partition.

        The fence stays where it is, so the owner does not notice. False when this generation is
        not in use any more; `FencedError` when the fence moves faster than we can.
        """
        for _ in range(AMEND_ATTEMPTS):
            stored: Any = await self._client.hmget(keys.fence(*partition), ["gen", "epoch", "next"])
            if stored[0] is None or int(stored[0]) != generation:
                return False
            fence = Fence(int(stored[1]), int(stored[2]))
            if await self._run(partition, generation, fence, fence.next_offset, change) == 1:
                return True
        raise FencedError(f"{partition} moved on {AMEND_ATTEMPTS} times")

    async def _run(
        self,
        partition: Partition,
        generation: int,
        fence: Fence,
        next_offset: int,
        change: Change,
    ) -> int:
        names = [
            keys.fence(*partition),
            keys.seen(*partition, generation, change.seen_bucket),
            keys.touched(*partition, generation),
            keys.waiting(*partition, generation),
            *(keys.cell(*partition, generation, member) for member in change.cells),
        ]
        arguments = _arguments(fence, generation, next_offset, change)
        return int(await self._apply(keys=names, args=arguments))


def _arguments(
    fence: Fence, generation: int, next_offset: int, change: Change
) -> list[str | int | bytes]:
    hashes = [
        (member, ttl_s, {prefix: _as_text(cell) for prefix, cell in increments.items()})
        for member, (ttl_s, increments) in change.cells.items()
    ]
    return [
        *(*fence, generation, next_offset),
        to_json({"counters": _as_text(change.counters), "hashes": hashes}),
        *(len(change.seen[0]) if change.seen else 0, b"".join(change.seen), change.seen_ttl_s),
        len(change.waiting),
        *(part for pair in change.waiting.items() for part in pair),
        *change.joined,
    ]


def _as_text(deltas: Mapping[str, int]) -> dict[str, str]:
    return {name: str(delta) for name, delta in deltas.items()}
