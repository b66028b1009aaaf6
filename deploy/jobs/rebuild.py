"""Build metrics' live cells anew from Postgres, also while traffic flows."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import asyncpg
from asyncpg import Pool
from pydantic import SecretStr

from services.metrics.domain.snapshot import Snapshot
from services.metrics.queries.snapshot import SOURCE_GROUP, take
from services.metrics.service.rebuilding import Rebuilt, rebuild
from services.metrics.store.cells import KEPT_S, SEEN_TTL_S, RedisStore
from shared.clock import utc_now
from shared.delivery.plan import Partition
from shared.errors import FencedError
from shared.stores import connect_redis

ATTEMPTS = 5


class Line(NamedTuple):
    """What became of one partition."""

    topic: str
    partition: int
    next_offset: int
    minutes: int
    hours: int
    identities: int


async def rebuild_metrics(
    postgres_dsn: str,
    redis_url: str,
    prefix: str,
    *,
    cluster: bool = False,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> list[Line]:
    """Rebuild every partition that ingest knows; `tell` hears how many are done, and of how many.

    A running metrics service is fenced off for a moment and goes on where the snapshot ends.
    """
    pool = await asyncpg.create_pool(postgres_dsn, min_size=0, max_size=1)
    client = connect_redis(SecretStr(redis_url), cluster=cluster)
    store = RedisStore(client, utc_now)
    lines = []
    try:
        partitions = await _partitions(pool, prefix)
        for done, one in enumerate(partitions):
            tell(done, len(partitions))
            lines.append(Line(*one, *await _rebuilt(pool, store, one)))
        tell(len(partitions), len(partitions))
    finally:
        await client.aclose()
        await pool.close()
    return lines


async def _rebuilt(pool: Pool, store: RedisStore, partition: Partition) -> Rebuilt:
    async def snapshot(one: Partition) -> Snapshot:
        return await take(pool, one, utc_now(), KEPT_S, SEEN_TTL_S)

    attempt = partial(rebuild, snapshot, store, partition, 0)
    for _ in range(ATTEMPTS - 1):
        try:
            return await attempt()
        except FencedError:
            continue  # claimed by a service meanwhile: what we built is as of before
    return await attempt()


async def _partitions(pool: Pool, prefix: str) -> Sequence[Partition]:
    rows = await pool.fetch(
        "SELECT topic, partition FROM consumer_fence"
        " WHERE consumer_group = $1 AND starts_with(topic, $2) ORDER BY 1, 2",
        SOURCE_GROUP,
        prefix,
    )
    return [Partition(*row) for row in rows]
