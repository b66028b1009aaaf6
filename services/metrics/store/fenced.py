"""State of a share in Redis and what is still to be told of it, changed together or not at all.

All keys of a share carry the hash tag of its operations partition. Whoever is not that partition's
owner any more changes nothing: the epoch is that of its fence.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from shared import keys
from shared.delivery.plan import Partition
from shared.delivery.redis import Client
from shared.errors import FencedError

READY = "!"  # a field that no entry has: this share's state is here, if only none
KeyOf = Callable[[str, int], str]

# KEYS: fence, state, outbox, perhaps a sorted set of what has ended. ARGV: epoch; JSON of
#       {put: {field: value}, drop: [field], tell: [text], ended: [id]}; Unix seconds now, and until
#       when to forget what has ended.
CHANGE = """
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
local change = cjson.decode(ARGV[2])
redis.call('HSET', KEYS[2], '!', 1)
for field, value in pairs(change.put) do redis.call('HSET', KEYS[2], field, value) end
for _, field in ipairs(change.drop) do redis.call('HDEL', KEYS[2], field) end
for _, text in ipairs(change.tell) do redis.call('XADD', KEYS[3], '*', 'event', text) end
for _, id in ipairs(change.ended) do redis.call('ZADD', KEYS[4], ARGV[3], id) end
if #change.ended > 0 then redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', ARGV[4]) end
return 1
"""
_JSON = TypeAdapter(dict[str, Any])


class Ended(NamedTuple):
    """What has ended, by id, and how long to remember that."""

    key: str
    ids: Sequence[str]
    at: int
    """Unix seconds."""
    forget_before: int


class FencedState:
    """Entries by name, and an outbox."""

    def __init__(self, client: Client, state: KeyOf, outbox: KeyOf) -> None:
        self._client = client
        self._state = state
        self._outbox = outbox
        self._change = client.register_script(CHANGE)

    async def load(self, share: Partition) -> dict[str, bytes] | None:
        """All entries of a share; `None` when they were lost, or never there."""
        found: Any = await self._client.hgetall(self._state(*share))
        if READY.encode() not in found:
            return None
        return {name.decode(): value for name, value in found.items() if name != READY.encode()}

    async def change(
        self,
        share: Partition,
        epoch: int,
        entries: Mapping[str, bytes | None],
        tell: Sequence[bytes],
        ended: Ended | None = None,
    ) -> None:
        """Keep entries (`None`: drop it) and what to tell; `FencedError` when not ours."""
        change = {
            "put": {name: value.decode() for name, value in entries.items() if value is not None},
            "drop": [name for name, value in entries.items() if value is None],
            "tell": [text.decode() for text in tell],
            "ended": list(ended.ids) if ended else [],
        }
        names = [keys.fence(*share), self._state(*share), self._outbox(*share)]
        arguments: list[int | bytes] = [epoch, _JSON.dump_json(change)]
        if ended:
            names.append(ended.key)
            arguments += [ended.at, ended.forget_before]
        if await self._change(keys=names, args=arguments) == 0:
            raise FencedError(f"{self._state(*share)} epoch {epoch}")

    async def untold(self, share: Partition, most: int) -> dict[bytes, bytes]:
        """What was not told yet, in order, by the id under which it waits."""
        found: Any = await self._client.xrange(self._outbox(*share), count=most)
        return {number: fields[b"event"] for number, fields in found}

    async def told(self, share: Partition, numbers: Sequence[bytes]) -> None:
        """Those are told."""
        await self._client.xdel(self._outbox(*share), *numbers)
