"""The fence in Redis: increments and position are one script, all in one partition's hash slot.

Everything a script touches is under the partition's hash tag, so it also runs in a cluster.
Values are integers only: a replayed or re-ordered batch cannot leave a rounding error.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic_core import to_json
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

# Digests travel as one text of equal widths, increments as one JSON text: a client spends more on
# thousands of arguments than the server spends on cutting them. `cut` hands them on in portions
# that fit Lua's stack.
CUT = """
local function cut(text, width, each)
  local portion = {}
  for at = 1, #text, width do
    portion[#portion + 1] = string.sub(text, at, at + width - 1)
    if #portion == 1000 then each(portion); portion = {} end
  end
  if #portion > 0 then each(portion) end
end
"""

# KEYS: sets of digests. ARGV: width, digests. Answers the places, from 0, of those in any set.
KNOWN = (
    CUT
    + """
local found = {}
for _, key in ipairs(KEYS) do
  local at = 0
  cut(ARGV[2], tonumber(ARGV[1]), function(portion)
    for i, yes in ipairs(redis.call('SMISMEMBER', key, unpack(portion))) do
      if yes == 1 then found[#found + 1] = at + i - 1 end
    end
    at = at + #portion
  end)
end
return found
"""
)

# KEYS: fence, seen, touched, waiting, then one per hash of increments.
# ARGV: epoch, next, generation, new next; JSON of {counters, hashes}; width, digests, their TTL;
#       how many waiting entries to add, and they as field, value; then waiting fields that must
#       exist and are removed. `hashes` has for each KEY: member name, TTL, and increments as
#       {prefix: {measure: delta as text, because a double would lose the last unit}}.
APPLY = (
    CUT
    + """
local fence = redis.call('HMGET', KEYS[1], 'epoch', 'next', 'gen')
if fence[1] ~= ARGV[1] or fence[2] ~= ARGV[2] or fence[3] ~= ARGV[3] then return 0 end
local joined = 10 + 2 * tonumber(ARGV[9])
-- Someone else joined one of these already: nothing of this call may happen.
for i = joined, #ARGV do
  if redis.call('HEXISTS', KEYS[4], ARGV[i]) == 0 then return -1 end
end
for i = joined, #ARGV do redis.call('HDEL', KEYS[4], ARGV[i]) end
for i = 10, joined - 1, 2 do redis.call('HSET', KEYS[4], ARGV[i], ARGV[i + 1]) end
if #ARGV[7] > 0 then
  cut(ARGV[7], tonumber(ARGV[6]), function(portion)
    redis.call('SADD', KEYS[2], unpack(portion))
  end)
  redis.call('EXPIRE', KEYS[2], ARGV[8])
end
local change = cjson.decode(ARGV[5])
for name, delta in pairs(change.counters) do redis.call('HINCRBY', KEYS[1], name, delta) end
for k, hash in ipairs(change.hashes) do
  local key = KEYS[4 + k]
  for prefix, cell in pairs(hash[3]) do
    for measure, delta in pairs(cell) do redis.call('HINCRBY', key, prefix .. measure, delta) end
  end
  redis.call('EXPIRE', key, hash[2])
  redis.call('ZADD', KEYS[3], ARGV[4], hash[1])
end
redis.call('HSET', KEYS[1], 'next', ARGV[4])
return 1
"""
)

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

    async def known(
        self, partition: Partition, buckets: Sequence[int], digests: Sequence[bytes]
    ) -> set[bytes]:
        """Those digests, all of one length, that any of these buckets has seen."""
        names = [keys.seen(*partition, bucket) for bucket in buckets]
        places = await self._known(keys=names, args=[len(digests[0]), b"".join(digests)])
        return {digests[place] for place in places}

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
