"""Build metrics' live cells anew from Postgres, also while traffic flows."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from asyncpg import Pool

from deploy.jobs.where import Where, connected
from services.metrics.domain.snapshot import Snapshot
from services.metrics.queries.snapshot import SOURCE_GROUP, take
from services.metrics.service.rebuilding import Rebuilt, rebuild
from services.metrics.store.cells import KEPT_S, SEEN_TTL_S, RedisStore
from shared.clock import utc_now
from shared.delivery.plan import Partition
from shared.errors import FencedError
from shared.topics import COUNTED, topic_name

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
    where: Where, tell: Callable[[int, int], None] = lambda done, total: None
) -> list[Line]:
    """Rebuild every partition that ingest knows; `tell` hears how many are done, and of how many.

    A running metrics service is fenced off for a moment and goes on where the snapshot ends.
    """
    async with connected(where) as (pool, client):
        store = RedisStore(client, utc_now)
        lines = []
        partitions = await ingested_partitions(pool, where.prefix)
        for done, one in enumerate(partitions):
            tell(done, len(partitions))
            lines.append(Line(*one, *await rebuilt(pool, store, one)))
        tell(len(partitions), len(partitions))
    return lines


async def rebuilt(pool: Pool, store: RedisStore, partition: Partition) -> Rebuilt:
    """Rebuild one partition, again when a service claims it meanwhile."""

    async def snapshot(one: Partition) -> Snapshot:
        return await take(pool, one, utc_now(), KEPT_S, SEEN_TTL_S)

    attempt = partial(rebuild, snapshot, store, partition, 0)
    for _ in range(ATTEMPTS - 1):
        try:
            return await attempt()
        except FencedError:
            continue  # claimed by a service meanwhile: what we built is as of before
    return await attempt()


async def ingested_partitions(pool: Pool, prefix: str) -> Sequence[Partition]:
    """Partitions of counted topics that ingest has a fence for: others have no live cells."""
    rows = await pool.fetch(
        "SELECT topic, partition FROM consumer_fence"
        " WHERE consumer_group = $1 AND topic = ANY($2) ORDER BY 1, 2",
        SOURCE_GROUP,
        [topic_name(topic, prefix) for topic in COUNTED],
    )
    return [Partition(*row) for row in rows]
