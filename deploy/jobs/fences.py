"""Where consumers stand, and moving them where log and store contradict each other."""

from typing import NamedTuple

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from redis.asyncio import Redis

from deploy.jobs.where import Where, connected
from shared import keys
from shared.delivery.plan import Partition, contradiction

POSITIONS = """
    SELECT topic, partition, next_offset FROM consumer_fence
     WHERE consumer_group = 'ingest' AND starts_with(topic, $1) ORDER BY topic, partition
"""
# What is skipped is counted as a gap. Who goes back begins to count anew: there are fewer records
# behind it than verdicts.
MOVE = """
    UPDATE consumer_fence
       SET epoch = epoch + 1, next_offset = $3, updated_at = now(),
           accepted = CASE WHEN $3 < next_offset THEN 0 ELSE accepted END,
           duplicates = CASE WHEN $3 < next_offset THEN 0 ELSE duplicates END,
           dead = CASE WHEN $3 < next_offset THEN 0 ELSE dead END,
           gaps = CASE WHEN $3 < next_offset THEN $3 ELSE gaps + $3 - next_offset END
     WHERE consumer_group = 'ingest' AND topic = $1 AND partition = $2 AND next_offset = $4
"""


class Standing(NamedTuple):
    """Where ingest stands in one partition's log."""

    topic: str
    partition: int
    next_offset: int
    log_start: int
    log_end: int
    incident: str | None
    """Why it cannot go on from there."""


class MovedError(Exception):
    """The fence is not where it was a moment ago."""


async def standings(where: Where, bootstrap_servers: str) -> list[Standing]:
    """Every partition that ingest has begun."""
    async with connected(where) as (pool, _):
        rows = await pool.fetch(POSITIONS, where.prefix)
    asked = [TopicPartition(row["topic"], row["partition"]) for row in rows]
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap_servers) as consumer:
        starts = await consumer.beginning_offsets(asked)
        ends = await consumer.end_offsets(asked)
    return [
        Standing(one.topic, one.partition, row["next_offset"], starts[one], ends[one], problem)
        for one, row in zip(asked, rows, strict=True)
        for problem in [contradiction(row["next_offset"], starts[one], ends[one])]
    ]


async def move(where: Where, standing: Standing, to: int) -> None:
    """Let ingest go on elsewhere, and metrics build its cells anew from what ingest then holds.

    Services may run: they notice within half a minute. `MovedError` when ingest has moved itself.
    """
    partition = Partition(standing.topic, standing.partition)
    async with connected(where) as (pool, client):
        moved = await pool.execute(MOVE, *partition, to, standing.next_offset)
        if moved != "UPDATE 1":
            raise MovedError(f"ingest does not stand at {standing.next_offset} any more")
        await client.unlink(keys.fence(*partition))


async def reset_fences(postgres_dsn: str, redis_url: str, prefix: str) -> int:
    """Let every consumer of `prefix` begin at offset 0 again; answers how many fences moved.

    The local broker forgets its log when it stops. Offsets then mean nothing, while rows, cells
    and the digests of seen events stay: what is published again is still a duplicate.
    """
    connection = await asyncpg.connect(postgres_dsn)
    try:
        moved = await connection.fetch(
            "UPDATE consumer_fence SET next_offset = 0, epoch = epoch + 1"
            " WHERE starts_with(topic, $1) RETURNING 1",
            prefix,
        )
    finally:
        await connection.close()
    count = len(moved)
    async with Redis.from_url(redis_url) as client:
        async for key in client.scan_iter(match=f"{{{prefix}*}}:fence"):
            await client.hset(key, "next", "0")
            await client.hincrby(key, "epoch", 1)
            count += 1
    return count
