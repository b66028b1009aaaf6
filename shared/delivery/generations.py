"""Another generation of a partition's cells: built beside the one in use, put in its place at once.

A generation that is never put in place expires. Nothing of it can be taken for anything else,
because no other attempt gets its number.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from shared import keys
from shared.delivery.faults import FAULTS
from shared.delivery.plan import Fence, Partition
from shared.delivery.redis import Client
from shared.delivery.scripts import ACTIVATE, BEGIN
from shared.errors import FencedError

ATTEMPT_TTL_S = 24 * 3600
PORTION = 5_000


class Draft(NamedTuple):
    """A generation in the making, and the epoch it will follow."""

    generation: int
    epoch: int


class Generations:
    """Builds and replaces generations."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._begin = client.register_script(BEGIN)
        self._activate = client.register_script(ACTIVATE)

    async def begin(self, partition: Partition) -> Draft:
        """Start a generation."""
        names = [keys.fence(*partition), keys.generations(*partition)]
        return Draft(*await self._begin(keys=names, args=[ATTEMPT_TTL_S]))

    async def write_cell(
        self,
        partition: Partition,
        draft: Draft,
        member: str,
        ttl_s: int,
        fields: Mapping[str, int],
        touched_at: int,
    ) -> None:
        """Write one cell hash."""
        name = keys.cell(*partition, draft.generation, member)
        pipeline = self._client.pipeline(transaction=False)
        for portion in _portions(list(fields.items())):
            mapping: Any = dict(portion)
            pipeline.hset(name, mapping=mapping)
        pipeline.expire(name, ttl_s)
        touched = keys.touched(*partition, draft.generation)
        pipeline.zadd(touched, {member: touched_at})
        pipeline.expire(touched, ATTEMPT_TTL_S)
        await pipeline.execute()

    async def write_seen(
        self, partition: Partition, draft: Draft, bucket: int, ttl_s: int, digests: Sequence[bytes]
    ) -> None:
        """Remember identities."""
        name = keys.seen(*partition, draft.generation, bucket)
        pipeline = self._client.pipeline(transaction=False)
        for portion in _portions(digests):
            pipeline.sadd(name, *portion)
        pipeline.expire(name, ttl_s)
        await pipeline.execute()

    async def write_waiting(
        self, partition: Partition, draft: Draft, waiting: Mapping[bytes, bytes]
    ) -> None:
        """Write what waits for its operation."""
        if not waiting:
            return
        name = keys.waiting(*partition, draft.generation)
        pipeline = self._client.pipeline(transaction=False)
        for portion in _portions(list(waiting.items())):
            mapping: Any = dict(portion)
            pipeline.hset(name, mapping=mapping)
        pipeline.expire(name, ATTEMPT_TTL_S)
        await pipeline.execute()

    async def activate(self, partition: Partition, draft: Draft, next_offset: int) -> Fence:
        """Put it in place; `FencedError` when somebody else moved the fence meanwhile."""
        names = [
            keys.fence(*partition),
            keys.touched(*partition, draft.generation),
            keys.waiting(*partition, draft.generation),
        ]
        FAULTS.reach("redis.before_activate")
        found = await self._activate(keys=names, args=[draft.epoch, draft.generation, next_offset])
        if found is None:
            await self.discard(partition, draft.generation)
            raise FencedError(f"{partition} was claimed while generation {draft} was built")
        epoch, before = found
        if before:
            await self.discard(partition, before)
        return Fence(epoch, next_offset)

    async def discard(self, partition: Partition, generation: int) -> None:
        """Let go of a generation that nobody reads any more, without holding up the server."""
        name = keys.touched(*partition, generation)
        members: Any = await self._client.zrange(name, 0, -1)
        cells = [keys.cell(*partition, generation, member.decode()) for member in members]
        for portion in _portions(cells):
            await self._client.unlink(*portion)
        await self._client.unlink(name, keys.waiting(*partition, generation))


def _portions(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (items[at : at + PORTION] for at in range(0, len(items), PORTION))
