"""Redis: asks each server, or each primary of a cluster, and writes one key that it takes back."""

from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import urlsplit
from uuid import uuid4

from pydantic import SecretStr
from redis.asyncio import Redis, RedisCluster
from redis.exceptions import RedisClusterException, RedisError

from deploy.doctor.facts import RedisFacts, Unseen, Why
from deploy.doctor.probes.ways import SPEAKS, compare_clocks, why_away
from shared import keys
from shared.clock import Clock
from shared.store_errors import store_refusal
from shared.stores import connect_redis

TRIAL = """
redis.call('SET', KEYS[1], 'assay doctor', 'EX', 10)
return redis.call('DEL', KEYS[1])
"""
DEFAULT_PORT = 6379
FAILURES = (RedisError, RedisClusterException, OSError)


async def probe_redis(
    url: str, prefix: str, now: Clock, *, cluster: bool
) -> list[RedisFacts] | Unseen:
    """Facts of each server; one without a cluster."""
    client = connect_redis(SecretStr(_in_old_words(url)), cluster=cluster)
    try:
        if isinstance(client, RedisCluster):
            await client.initialize()
            nodes: list[Any] = list(client.get_primaries())
        else:
            nodes = [None]
        return [await _facts(client, node, prefix, now) for node in nodes]
    except FAILURES as error:
        if said := store_refusal(error):
            return Unseen(Why.REFUSED, said)
        at = urlsplit(url)
        why = await why_away(at.hostname or "localhost", at.port or DEFAULT_PORT)
        return Unseen(Why.AWAY, f"{why}: {error}" if why.startswith(SPEAKS) else why)
    finally:
        await client.aclose()


def _in_old_words(url: str) -> str:
    """Before version 6 nobody knew RESP3: such a server could not even say how old it is."""
    return f"{url}{'&' if urlsplit(url).query else '?'}protocol=2"


async def _facts(client: Redis | RedisCluster, node: Any, prefix: str, now: Clock) -> RedisFacts:
    to = {} if node is None else {"target_nodes": node}

    async def ask_time() -> datetime:
        seconds, microseconds = await cast("Awaitable[Any]", client.time(**to))
        return datetime.fromtimestamp(int(seconds), UTC).replace(microsecond=int(microseconds))

    info: dict[str, Any] = await client.info(**to)
    where = "redis" if node is None else str(node.name)
    clock = await compare_clocks(ask_time, now)
    texts = {name: str(value) for name, value in info.items()}
    return RedisFacts(where, texts, clock, await _refusal(client, prefix))


async def _refusal(client: Redis | RedisCluster, prefix: str) -> str | None:
    """Under a name like those of our own keys: who may write only these may write this one."""
    name = f"{keys.tag(f'{prefix}doctor', 0)}:{uuid4().hex}"
    try:
        # By its digest: who may do what our programs do may not send any script (EVAL).
        await client.register_script(TRIAL)(keys=[name])
    except RedisError as error:
        return store_refusal(error) or str(error)
    return None
