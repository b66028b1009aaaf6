"""The fence in Redis: increments and position are one script, all in one partition's hash slot.

Everything a script touches is under the partition's hash tag, so it also runs in a cluster.
Values are integers only: a replayed or re-ordered batch cannot leave a rounding error.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from redis.asyncio import Redis, RedisCluster

from shared import keys
from shared.delivery.faults import FAULTS
from shared.delivery.plan import Fence, Partition
from shared.errors import FencedError

Client = Redis | RedisCluster

# Answers {epoch, next, gen, 1 when the fence was missing}.
CLAIM = """
local missing = redis.call('EXISTS', KEYS[1]) == 0 and 1 or 0
if missing == 1 then
  redis.call('HSET', KEYS[1], 'epoch', 0, 'next', ARGV[1], 'gen', 1)
end
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
local rest = redis.call('HMGET', KEYS[1], 'next', 'gen')
return {epoch, tonumber(rest[1]), tonumber(rest[2]), missing}
"""

# KEYS: fence, seen, touched, waiting, then one per hash of increments.
# ARGV: epoch, next, generation, new next; counters as name, delta ..; seen TTL and members;
#       waiting entries to add as field, value; waiting fields that must exist and are removed;
#       per hash: member name, TTL, and its field, delta pairs. Each list is preceded by its length.
APPLY = """
local fence = redis.call('HMGET', KEYS[1], 'epoch', 'next', 'gen')
if fence[1] ~= ARGV[1] or fence[2] ~= ARGV[2] or fence[3] ~= ARGV[3] then return 0 end
local at = 5
local function list()
  local first, count = at + 1, tonumber(ARGV[at])
  at = at + 1 + count
  return first, first + count - 1
end
local cf, cl = list()
local seen_ttl = ARGV[at]; at = at + 1
local sf, sl = list()
local wf, wl = list()
local rf, rl = list()
-- Someone else joined one of these already: nothing of this call may happen.
for i = rf, rl do
  if redis.call('HEXISTS', KEYS[4], ARGV[i]) == 0 then return -1 end
end
for i = rf, rl do redis.call('HDEL', KEYS[4], ARGV[i]) end
for i = cf, cl, 2 do redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1]) end
for i = sf, sl do redis.call('SADD', KEYS[2], ARGV[i]) end
if sl >= sf then redis.call('EXPIRE', KEYS[2], seen_ttl) end
for i = wf, wl, 2 do redis.call('HSET', KEYS[4], ARGV[i], ARGV[i + 1]) end
for k = 5, #KEYS do
  local member, ttl = ARGV[at], ARGV[at + 1]; at = at + 2
  local ff, fl = list()
  for i = ff, fl, 2 do redis.call('HINCRBY', KEYS[k], ARGV[i], ARGV[i + 1]) end
  redis.call('EXPIRE', KEYS[k], ttl)
  redis.call('ZADD', KEYS[3], ARGV[4], member)
end
redis.call('HSET', KEYS[1], 'next', ARGV[4])
return 1
"""


@dataclass(slots=True)
class Change:
    """Everything one batch does to one partition, applied whole or not at all."""

    counters: Mapping[str, int] = field(default_factory=dict)
    seen_bucket: int = 0
    seen_ttl_s: int = 1
    seen: Sequence[bytes] = ()
    waiting: Mapping[bytes, bytes] = field(default_factory=dict)
    joined: Sequence[bytes] = ()
    cells: Mapping[str, tuple[int, Mapping[str, int]]] = field(default_factory=dict)
    """Cell member -> (TTL in seconds, increments by field)."""


class RedisFence:
    """Fences of the partitions that this process consumes into Redis."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._claim = client.register_script(CLAIM)
        self._apply = client.register_script(APPLY)
        self._generation: dict[Partition, int] = {}

    async def claim(self, partition: Partition, log_start: int) -> Fence:
        """A new epoch for this process; an unknown partition begins at `log_start`."""
        epoch, next_offset, generation, _ = await self._claim(
            keys=[keys.fence(*partition)], args=[log_start]
        )
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

    async def apply(
        self, partition: Partition, fence: Fence, next_offset: int, change: Change
    ) -> bool:
        """Apply a change under the fence; false when a waiting entry was joined by someone else.

        `next_offset` may equal the fence's own, for changes that no record brought.
        """
        generation = self._generation[partition]
        names = [
            keys.fence(*partition),
            keys.seen(*partition, change.seen_bucket),
            keys.touched(*partition, generation),
            keys.waiting(*partition, generation),
            *(keys.cell(*partition, generation, member) for member in change.cells),
        ]
        FAULTS.reach("redis.before_apply")
        done = await self._apply(
            keys=names, args=_arguments(fence, generation, next_offset, change)
        )
        FAULTS.reach("redis.after_apply")
        if done == 0:
            raise FencedError(f"{partition} epoch {fence.epoch}")
        return bool(done == 1)


def _arguments(
    fence: Fence, generation: int, next_offset: int, change: Change
) -> list[str | int | bytes]:
    out: list[str | int | bytes] = [*fence, generation, next_offset]
    _extend(out, [part for pair in change.counters.items() for part in pair])
    out.append(change.seen_ttl_s)
    _extend(out, change.seen)
    _extend(out, [part for pair in change.waiting.items() for part in pair])
    _extend(out, change.joined)
    for member, (ttl_s, increments) in change.cells.items():
        out += (member, ttl_s)
        _extend(out, [part for pair in increments.items() for part in pair])
    return out


def _extend(out: list[str | int | bytes], values: Sequence[str | int | bytes]) -> None:
    out.append(len(values))
    out.extend(values)
