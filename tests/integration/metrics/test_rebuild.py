"""Cells that are lost come back from Postgres: to the last unit, and as if nothing had happened."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from redis.asyncio import Redis

from deploy.jobs.rebuild import rebuild_metrics
from services.ingest.app import run as run_ingest
from services.ingest.settings import IngestSettings
from services.metrics.app import run as run_metrics
from services.metrics.settings import MetricsSettings
from shared import keys
from shared.measures.cells import FEEDBACK_SCALARS, SCALARS
from tests.support.events import encoded, feedback, operation
from tests.support.system import PARTITIONS, SECRET, Record, prepared, publish, running, topics
from tests.support.waiting import eventually

EVENTS = 600
UNKNOWN = 7_000_000
MEASURES = (*SCALARS, *FEEDBACK_SCALARS)
Content = dict[tuple[str, str, int, str], int]
"""(resolution, tenant, start, field) -> total over partitions."""


class Stores:
    """Looks at both stores past the services."""

    def __init__(self, kafka: str, prefix: str, dsn: str, redis_url: str) -> None:
        self.kafka, self.prefix, self.dsn, self.redis_url = kafka, prefix, dsn, redis_url
        self.topics = [f"{prefix}{kind}.v1" for kind in ("operations", "feedback")]
        self.published = 0

    async def send(self, kind: str, *events: dict[str, Any]) -> None:
        """Publish events."""
        topic = f"{self.prefix}{kind}.v1"
        records: list[Record] = [
            (topic, event["operation_id"].encode(), encoded(event), ()) for event in events
        ]
        self.published += len(records)
        await publish(self.kafka, records)

    async def all_consumed(self) -> None:
        """Wait until both services have read all that was published."""

        async def read() -> bool:
            rows = await self.fetch("SELECT sum(next_offset)::bigint FROM consumer_fence")
            return rows[0][0] == await self._fenced("next") == self.published

        await eventually(read, why=f"all {self.published} are consumed", deadline_s=60)

    async def counter(self, name: str) -> int:
        """A counter of metrics' fences, summed."""
        return await self._fenced(name)

    async def fetch(self, statement: str) -> list[asyncpg.Record]:
        """Ask Postgres."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return await connection.fetch(statement)
        finally:
            await connection.close()

    async def joinable(self) -> int:
        """How much feedback will be counted as soon as ingest looks for its operation."""
        rows = await self.fetch(
            """
            SELECT count(*) FROM user_feedback AS f JOIN ai_model_operations AS o
                USING (tenant_id, operation_id) WHERE f.model_id IS NULL
            """
        )
        return int(rows[0][0])

    async def cells(self) -> Content:
        """Everything in the cells of the generations in use."""
        found: Content = {}
        async with Redis.from_url(self.redis_url) as client:
            for topic in self.topics:
                for partition in range(PARTITIONS):
                    generation = await client.hget(keys.fence(topic, partition), "gen")
                    start = f"{keys.tag(topic, partition)}:g{int(generation or 0)}:"
                    async for name in client.scan_iter(match=f"{start}[mh]:*", count=1_000):
                        place = keys.split_member(name.decode().removeprefix(start))
                        for field, value in (await client.hgetall(name)).items():
                            key = (*place, field.decode())
                            found[key] = found.get(key, 0) + int(value)
        return {key: value for key, value in found.items() if value}

    async def minutes(self) -> dict[tuple[str, int, str], int]:
        """Postgres' minutes, as fields of cells."""
        found: dict[tuple[str, int, str], int] = {}
        rows = await self.fetch(
            f"""
            SELECT tenant_id, extract(epoch FROM minute)::bigint AS start,
                   concat_ws(E'\\x1f', model_id, environment, operation_type, variant) AS series,
                   {", ".join(f"sum({name})::bigint AS {name}" for name in MEASURES)}
              FROM operation_rollup_minute GROUP BY 1, 2, 3
            """
        )
        for row in rows:
            for name in MEASURES:
                if row[name]:
                    found[row["tenant_id"], row["start"], f"{row['series']}\x1f{name}"] = row[name]
        return found

    async def forget_log(self) -> None:
        """Delete all records that Kafka holds: what retention does."""
        asked = [TopicPartition(topic, n) for topic in self.topics for n in range(PARTITIONS)]
        async with AIOKafkaConsumer(bootstrap_servers=self.kafka) as consumer:
            ends = await consumer.end_offsets(asked)
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka)
        await admin.start()
        try:
            await admin.delete_records({one: RecordsToDelete(ends[one]) for one in asked})
        finally:
            await admin.close()

    async def _fenced(self, name: str) -> int:
        total = 0
        async with Redis.from_url(self.redis_url) as client:
            for topic in self.topics:
                for partition in range(PARTITIONS):
                    total += int(await client.hget(keys.fence(topic, partition), name) or 0)
        return total


@pytest.fixture(scope="module")
async def stores(
    kafka_bootstrap: str, topic_prefix: str, database_dsn: str, redis_url: str
) -> AsyncIterator[Stores]:
    """Ingest and metrics over the same topics, with operations and feedback in them."""
    dsns = await prepared(database_dsn)
    await topics(kafka_bootstrap, topic_prefix)
    common: dict[str, Any] = {
        "kafka_bootstrap_servers": kafka_bootstrap,
        "topic_prefix": topic_prefix,
        "redis_url": redis_url,
    }
    ingest = IngestSettings(**common, postgres_dsn=dsns["ingest"], secret_key=SECRET)
    metrics = MetricsSettings(**common, postgres_dsn=dsns["metrics"])
    made = Stores(kafka_bootstrap, topic_prefix, database_dsn, redis_url)
    async with running(run_ingest(ingest)), running(run_metrics(metrics)):
        await made.send("operations", *(operation(number) for number in range(EVENTS)))
        await made.send("feedback", *(feedback(number) for number in range(60)))
        await made.send("feedback", feedback(1_000, model_id="named"), feedback(UNKNOWN))
        yield made


async def settled(stores: Stores) -> Content:
    """The cells, once nothing moves any more and they hold what Postgres' minutes hold."""
    await stores.all_consumed()

    async def equal() -> Content | None:
        if await stores.joinable():
            return None
        cells, minutes = await stores.cells(), await stores.minutes()
        held = {
            key[1:]: value
            for key, value in cells.items()
            if key[0] == keys.MINUTE_CELLS and key[3].rpartition("\x1f")[2] in MEASURES
        }
        return cells if minutes and held == minutes else None

    return await eventually(equal, why="cells and minutes are equal", deadline_s=60)  # type: ignore[no-any-return]


async def test_an_emptied_redis_is_exact_again_though_the_log_is_gone(stores: Stores) -> None:
    before = await settled(stores)
    assert any(key[3].endswith("\x1frating") for key in before)
    await stores.forget_log()
    async with Redis.from_url(stores.redis_url) as client:
        await client.flushall()

    async def back() -> bool:
        return await stores.cells() == before

    await eventually(back, why="every cell is what it was", deadline_s=60)


async def test_what_was_counted_before_is_a_duplicate_after(stores: Stores) -> None:
    before = await settled(stores)
    again = [operation(number) for number in range(100)]
    rows = await stores.fetch("SELECT event_id, occurred_at FROM ai_model_operations")
    stamps = {str(row["event_id"]): row["occurred_at"].isoformat() for row in rows}
    await stores.send(
        "operations", *(one | {"occurred_at": stamps[one["event_id"]]} for one in again)
    )
    await stores.all_consumed()
    assert await stores.counter("duplicates") == len(again)
    assert await stores.cells() == before


async def test_feedback_that_waited_still_finds_its_operation(stores: Stores) -> None:
    async with Redis.from_url(stores.redis_url) as client:
        await client.flushall()
    late = operation(UNKNOWN, model_id="late", response_time_ms=1.0)
    await stores.send("operations", late)

    async def joined() -> int:
        cells = await stores.cells()
        return sum(
            value
            for key, value in cells.items()
            if key[0] == "m" and key[3].startswith("late\x1f") and key[3].endswith("\x1ff_n")
        )

    await eventually(joined, why="it is counted under its model", deadline_s=60)
    await settled(stores)
    assert await joined() == 1


async def test_rebuilding_under_traffic_loses_and_doubles_nothing(stores: Stores) -> None:
    first = 8_000_000

    async def traffic() -> None:
        for turn in range(12):
            numbers = range(first + turn * 150, first + (turn + 1) * 150)
            await stores.send("operations", *(operation(number) for number in numbers))
            await stores.send("feedback", *(feedback(number) for number in numbers[::10]))

    flowing = asyncio.ensure_future(traffic())
    rebuilt = 0
    while not flowing.done():
        lines = await rebuild_metrics(stores.dsn, stores.redis_url, stores.prefix)
        rebuilt += len(lines)
    await flowing
    assert rebuilt >= 2 * PARTITIONS
    after = await settled(stores)
    operations = sum(
        value for key, value in after.items() if key[0] == "m" and key[3].endswith("\x1fn")
    )
    rows = await stores.fetch("SELECT count(*) FROM ai_model_operations")
    assert operations == rows[0][0]
