"""Alerts of a share in Redis: their state and what is still to be told, in one step.

All keys of a share carry the hash tag of its operations partition. Whoever is not that partition's
owner any more changes nothing: the epoch is that of its fence.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from services.metrics.domain.alerting import Place
from services.metrics.domain.telling import Home, Kept
from shared import keys
from shared.alerts.grouping import Group
from shared.clock import Clock
from shared.delivery.faults import FAULTS
from shared.delivery.plan import Partition
from shared.delivery.redis import Client
from shared.errors import FencedError

READY = "!"  # a field that no alert has: this share's alerts are here, if only none

ENDED_FOR_S = 86_400

# KEYS: fence, alerts, untold, ended. ARGV: epoch; JSON of {put: {field: value}, drop: [field],
#       tell: [event], ended: [alert_id]}; Unix seconds now, and until when to forget the ended.
CHANGE = """
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
local change = cjson.decode(ARGV[2])
redis.call('HSET', KEYS[2], '!', 1)
for field, value in pairs(change.put) do redis.call('HSET', KEYS[2], field, value) end
for _, field in ipairs(change.drop) do redis.call('HDEL', KEYS[2], field) end
for _, event in ipairs(change.tell) do redis.call('XADD', KEYS[3], '*', 'event', event) end
for _, id in ipairs(change.ended) do redis.call('ZADD', KEYS[4], ARGV[3], id) end
if #change.ended > 0 then redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', ARGV[4]) end
return 1
"""
_KEPT = TypeAdapter(Kept)
_CHANGE = TypeAdapter(dict[str, Any])


class RedisAlerts:
    """Alerts, and the steps that the topic does not have yet."""

    def __init__(self, client: Client, now: Clock) -> None:
        self._client = client
        self._now = now
        self._change = client.register_script(CHANGE)

    async def load(self, share: Partition) -> dict[Home, Kept] | None:
        """All alerts of a share; `None` when they were lost, or never there."""
        found: Any = await self._client.hgetall(keys.alerts(*share))
        if READY.encode() not in found:
            return None
        return {
            _home(name.decode()): _KEPT.validate_json(value)
            for name, value in found.items()
            if name != READY.encode()
        }

    async def change(
        self,
        share: Partition,
        epoch: int,
        alerts: Mapping[Home, Kept | None],
        events: Sequence[bytes],
        ended: Sequence[UUID],
    ) -> None:
        """Keep what became of alerts (`None`: ended) and what to tell, whole or not at all."""
        change = {
            "put": {
                _name(home): _KEPT.dump_json(one).decode() for home, one in alerts.items() if one
            },
            "drop": [_name(home) for home, one in alerts.items() if one is None],
            "tell": [event.decode() for event in events],
            "ended": [str(one) for one in ended],
        }
        names = [keys.fence(*share), keys.alerts(*share), keys.untold(*share), keys.ended(*share)]
        now = int(self._now().timestamp())
        FAULTS.reach("alerts.before_change")
        arguments: list[int | bytes] = [epoch, _CHANGE.dump_json(change), now, now - ENDED_FOR_S]
        done = await self._change(keys=names, args=arguments)
        FAULTS.reach("alerts.after_change")
        if done == 0:
            raise FencedError(f"alerts of {share} epoch {epoch}")

    async def ended(self, share: Partition) -> set[UUID]:
        """Alerts that have ended in the last day."""
        found: Any = await self._client.zrange(keys.ended(*share), 0, -1)
        return {UUID(one.decode()) for one in found}

    async def untold(self, share: Partition, most: int) -> dict[bytes, bytes]:
        """Events that were not told yet, in order, by the id under which they wait."""
        found: Any = await self._client.xrange(keys.untold(*share), count=most)
        return {number: fields[b"event"] for number, fields in found}

    async def told(self, share: Partition, numbers: Sequence[bytes]) -> None:
        """Those are on the topic."""
        await self._client.xdel(keys.untold(*share), *numbers)


def _name(home: Home) -> str:
    labels = [part for label in home.place.group.labels for part in label]
    return keys.SEPARATOR.join(
        [home.tenant_id, str(home.place.rule_id), *map(keys.escaped, labels)]
    )


def _home(name: str) -> Home:
    tenant_id, rule_id, *labels = name.split(keys.SEPARATOR)
    parts = [keys.unescaped(part) for part in labels]
    pairs = tuple(zip(parts[::2], parts[1::2], strict=True))
    return Home(tenant_id, Place(UUID(rule_id), Group(pairs)))
