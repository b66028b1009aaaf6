"""Token buckets in Redis: one hash for each tenant and kind, filled by Redis' own clock."""

from services.gateway.domain.quotas import Kind, Quota, Taken
from services.gateway.store.redis import asked
from shared.delivery.redis import Client

# KEYS: bucket. ARGV: tokens per second, burst, wanted. Answers {given, left, ms to the next one}.
TAKE = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local rate, burst, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local kept = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local since = math.max(0, now - tonumber(kept[2] or now))
local tokens = math.min(burst, tonumber(kept[1] or burst) + since * rate)
local given = math.min(wanted, math.floor(tokens))
tokens = tokens - given
redis.call('HSET', KEYS[1],
    'tokens', string.format('%.6f', tokens), 'at', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(1000 * burst / rate) + 1000)
local wait = given > 0 and 0 or math.ceil(1000 * (1 - tokens) / rate)
return {given, math.floor(tokens), wait}
"""


class RedisBuckets:
    """Buckets that all gateways share."""

    def __init__(self, client: Client) -> None:
        self._take = client.register_script(TAKE)

    async def take(self, tenant_id: str, kind: Kind, quota: Quota, want: int) -> Taken:
        """As many tokens as there are, at most `want`; a bucket that rests long enough is full."""
        async with asked():
            given, left, wait_ms = await self._take(
                keys=[f"quota:{tenant_id}:{kind}"], args=[quota.per_s, quota.burst, want]
            )
        return Taken(int(given), int(left), wait_ms / 1000)
