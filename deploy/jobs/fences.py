"""Where consumers stand, and moving them where log and store contradict each other."""

from enum import StrEnum
from typing import NamedTuple

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from asyncpg import Pool
from redis.asyncio import Redis

from deploy.jobs.auditing import record
from deploy.jobs.rebuild import ingested_partitions, rebuilt
from deploy.jobs.where import Where, connected
from services.metrics.store.cells import RedisStore
from shared.audit.chain import INSTALLATION, Entry
from shared.audit.recorder import Recorder
from shared.clock import utc_now
from shared.delivery.plan import Partition, contradiction
from shared.kafka_errors import refusals_explained
from shared.kafka_settings import Connection

FENCED = """
    SELECT topic, partition, next_offset FROM consumer_fence
     WHERE consumer_group = $1 AND starts_with(topic, $2) ORDER BY 1, 2
"""
# What is skipped is counted as a gap. Where the log lost its end, fewer records are behind the new
# position than there are verdicts: counting begins anew.
MOVE = """
    UPDATE consumer_fence
       SET epoch = epoch + 1, next_offset = $3, updated_at = now(),
           accepted = CASE WHEN $3 < next_offset THEN 0 ELSE accepted END,
           duplicates = CASE WHEN $3 < next_offset THEN 0 ELSE duplicates END,
           dead = CASE WHEN $3 < next_offset THEN 0 ELSE dead END,
           erased = CASE WHEN $3 < next_offset THEN 0 ELSE erased END,
           gaps = CASE WHEN $3 < next_offset THEN $3 ELSE gaps + $3 - next_offset END
     WHERE consumer_group = $5 AND topic = $1 AND partition = $2 AND next_offset = $4
"""
# Other records will get these offsets: what came from them before is told apart by its sign.
FORGET_ROWS = tuple(
    f"""
    UPDATE {table} SET kafka_offset = -1 - kafka_offset
     WHERE kafka_topic = $1 AND kafka_partition = $2 AND kafka_offset >= $3
    """
    for table in ("ai_model_operations", "user_feedback", "erased_events")
)
# Letters are known by their offsets, so each needs one that none had before.
FORGET_LETTERS = """
    UPDATE dead_letters AS l SET kafka_offset = fresh.kafka_offset
      FROM (SELECT kafka_offset AS was,
                   (SELECT least(min(kafka_offset), 0) FROM dead_letters
                     WHERE topic = $1 AND partition = $2)
                   - row_number() OVER (ORDER BY kafka_offset) AS kafka_offset
              FROM dead_letters
             WHERE topic = $1 AND partition = $2 AND kafka_offset >= $3) AS fresh
     WHERE l.topic = $1 AND l.partition = $2 AND l.kafka_offset = fresh.was
"""
FORGET_OFFSETS = (*FORGET_ROWS, FORGET_LETTERS)


class Group(StrEnum):
    """Consumers whose fences are in Postgres."""

    INGEST = "ingest"
    ABTEST = "abtest"
    FEEDBACK = "feedback"
    NOTIFY = "notify"


class Standing(NamedTuple):
    """Where a consumer stands in one partition's log; of ingest's, metrics too."""

    topic: str
    partition: int
    next_offset: int
    live_next_offset: int | None
    """Metrics; nothing when its cells are lost, which it mends itself, or it does not read this."""
    log_start: int
    log_end: int
    incident: str | None
    """Why the consumer cannot go on from there."""
    live_incident: str | None
    """Why metrics cannot."""
    group: Group = Group.INGEST


class MovedError(Exception):
    """The fence is not where it was a moment ago."""


async def standings(where: Where, kafka: Connection, group: Group = Group.INGEST) -> list[Standing]:
    """Every partition that a consumer has begun."""
    async with connected(where) as (pool, client):
        fenced = await pool.fetch(FENCED, group.value, where.prefix)
        at = {Partition(row["topic"], row["partition"]): row["next_offset"] for row in fenced}
        partitions = list(at)
        store = RedisStore(client, utc_now)
        counted = await _counted(pool, where.prefix, group)
        live = {one: await store.read(one) if one in counted else None for one in partitions}
    asked = [TopicPartition(*one) for one in partitions]
    async with refusals_explained(kafka), AIOKafkaConsumer(**kafka) as consumer:
        starts = await consumer.beginning_offsets(asked)
        ends = await consumer.end_offsets(asked)
    found = []
    for one in partitions:
        place = TopicPartition(*one)
        start, end, fence = starts[place], ends[place], live[one]
        if not where.durable:
            end = max(end, at[one], fence.next_offset if fence else 0)  # its ends lag behind
        wrong = fence and contradiction(fence.next_offset, start, end)
        found.append(
            Standing(
                *(one.topic, one.partition, at[one], fence.next_offset if fence else None),
                *(start, end, contradiction(at[one], start, end), wrong),
                group=group,
            )
        )
    return found


async def _counted(pool: Pool, prefix: str, group: Group) -> set[Partition]:
    """Those that metrics reads too."""
    return set(await ingested_partitions(pool, prefix)) if group is Group.INGEST else set()


async def move(where: Where, standing: Standing, to: int, audit: Recorder) -> None:
    """Let a consumer go on at another offset; `MovedError` when it has moved itself.

    Of ingest, live cells are to be built anew afterwards. Services may run: they notice within half
    a minute.
    """
    partition = Partition(standing.topic, standing.partition)
    async with (
        connected(where) as (pool, _),
        pool.acquire() as connection,
        connection.transaction(),
    ):
        group = standing.group.value
        moved = await connection.execute(MOVE, *partition, to, standing.next_offset, group)
        if moved != "UPDATE 1":
            raise MovedError(f"{group} does not stand at {standing.next_offset} any more")
        if to < standing.next_offset and standing.group is Group.INGEST:
            for statement in FORGET_OFFSETS:
                await connection.execute(statement, *partition, to)
        place = f"{group}:{partition.topic}:{partition.partition}"
        before, after = {"next_offset": standing.next_offset}, {"next_offset": to}
        await record(
            connection, audit, INSTALLATION, Entry("fence.move", "fence", place, before, after)
        )


async def rebuild_partition(where: Where, topic: str, partition: int) -> None:
    """Build one partition's live cells anew, as of where ingest now stands, if it has any."""
    async with connected(where) as (pool, client):
        if Partition(topic, partition) not in await ingested_partitions(pool, where.prefix):
            return
        await rebuilt(pool, RedisStore(client, utc_now), Partition(topic, partition))


async def reset_fences(postgres_dsn: str, redis_url: str, prefix: str, audit: Recorder) -> int:
    """Let every consumer of `prefix` begin at offset 0 again; answers how many fences moved.

    The local broker forgets its log when it stops. Offsets then mean nothing, while rows, cells
    and the digests of seen events stay: what is published again is still a duplicate.
    """
    connection = await asyncpg.connect(postgres_dsn)
    try:
        async with connection.transaction():
            moved = await connection.fetch(
                "UPDATE consumer_fence SET next_offset = 0, epoch = epoch + 1"
                " WHERE starts_with(topic, $1) RETURNING consumer_group, topic, partition",
                prefix,
            )
            ingested = [row[1:] for row in moved if row[0] == "ingest"]
            for statement in FORGET_OFFSETS:
                await connection.executemany(statement, [(*one, 0) for one in ingested])
            if moved:
                done = Entry("fence.reset", "fence", prefix, None, {"moved": len(moved)})
                await record(connection, audit, INSTALLATION, done)
    finally:
        await connection.close()
    count = len(moved)
    async with Redis.from_url(redis_url) as client:
        async for key in client.scan_iter(match=f"{{{prefix}*}}:fence"):
            await client.hset(key, "next", "0")
            await client.hincrby(key, "epoch", 1)
            count += 1
    return count
