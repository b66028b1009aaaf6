"""Counts what every store holds, so that the demo can check each number against what was sent."""

import json
from typing import Any, NamedTuple

import asyncpg
import httpx2
from aiokafka import AIOKafkaConsumer, TopicPartition
from redis.asyncio import Redis

from deploy.system import Running
from shared import keys
from shared.topics import COUNTED, topic_name

Sums = dict[str, dict[str, int]]  # model -> measure -> total
MEASURES = ("n", "tin", "tout", "f_n")


class Books(NamedTuple):
    """What the stores hold of one tenant."""

    postgres: Sums
    rollups: Sums
    redis: Sums
    dead_letters: int
    duplicates: int
    alerts_fired: int
    alerts_resolved: int


class Auditor:
    """Reads the stores directly, past the services."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._topics = [topic_name(topic, running.topic_prefix) for topic in COUNTED]

    async def books(self) -> Books:
        """All sums as of now."""
        connection = await asyncpg.connect(self._running.addresses.postgres_dsn)
        try:
            postgres = await _rows(connection, self._running.tenant)
            rollups = await _rollups(connection, self._running.tenant)
            dead = await connection.fetchval("SELECT count(*) FROM dead_letters")
            duplicates = await connection.fetchval(
                "SELECT coalesce(sum(duplicates), 0)::bigint FROM consumer_fence"
                " WHERE consumer_group = 'ingest' AND topic = ANY($1)",
                self._topics,
            )
            ((fired, resolved),) = await connection.fetch(
                "SELECT count(*), count(resolved_at) FROM performance_alerts"
                " WHERE tenant_id = $1 AND fired_at IS NOT NULL",
                self._running.tenant,
            )
        finally:
            await connection.close()
        return Books(postgres, rollups, await self._redis(), dead, duplicates, fired, resolved)

    async def behind(self) -> dict[str, str]:
        """Partitions of which a consumer has not reached the end, and how far each is."""
        ends = await self._ends()
        connection = await asyncpg.connect(self._running.addresses.postgres_dsn)
        try:
            rows = await connection.fetch(
                "SELECT topic, partition, next_offset FROM consumer_fence"
                " WHERE consumer_group = 'ingest'"
            )
        finally:
            await connection.close()
        ingest = {(row[0], row[1]): row[2] for row in rows}
        async with Redis.from_url(self._running.addresses.redis_url) as client:
            metrics = {
                place: int(await client.hget(keys.fence(*place), "next") or -1) for place in ends
            }
        return {
            f"{place[0]}:{place[1]}": f"end {end}, ingest {ingest.get(place)}, metrics {at}"
            for place, end in ends.items()
            if min(ingest.get(place, 0), at := max(0, metrics[place])) < end
        }

    async def shown(self, model_id: str, window: str = "24h") -> dict[str, Any]:
        """What the gateway answers for a model."""
        headers = {"Authorization": f"Bearer {self._running.admin_key}"}
        async with httpx2.AsyncClient(
            base_url=self._running.gateway_url, headers=headers, timeout=10
        ) as client:
            answer = await client.get(f"/ai/metrics/{model_id}", params={"window": window})
        return dict(json.loads(answer.content))

    async def _ends(self) -> dict[tuple[str, int], int]:
        consumer = AIOKafkaConsumer(*self._topics, **self._running.addresses.kafka)
        async with consumer:
            places = [
                TopicPartition(topic, number)
                for topic in self._topics
                for number in consumer.partitions_for_topic(topic) or ()
            ]
            ends = await consumer.end_offsets(places)
        return {(place.topic, place.partition): end for place, end in ends.items()}

    async def _redis(self) -> Sums:
        """Hour cells of every partition, summed by model."""
        sums: Sums = {}
        pattern = f"{{{self._running.topic_prefix}*}}:g*:h:{self._running.tenant}:*"
        async with Redis.from_url(self._running.addresses.redis_url) as client:
            async for name in client.scan_iter(match=pattern, count=1_000):
                content: Any = await client.hgetall(name)
                for field, value in content.items():
                    series, measure = keys.split_field(field.decode())
                    if measure in MEASURES:
                        model = sums.setdefault(series.model_id, {})
                        model[measure] = model.get(measure, 0) + int(value)
        return sums


async def _rows(connection: asyncpg.Connection, tenant: str) -> Sums:
    sums: Sums = {}
    for row in await connection.fetch(
        """
        SELECT model_id, count(*) AS n, coalesce(sum(input_tokens), 0)::bigint AS tin,
               coalesce(sum(output_tokens), 0)::bigint AS tout
          FROM ai_model_operations WHERE tenant_id = $1 GROUP BY 1
        """,
        tenant,
    ):
        sums[row["model_id"]] = {name: row[name] for name in ("n", "tin", "tout")}
    for row in await connection.fetch(
        "SELECT model_id, count(*) AS f_n FROM user_feedback"
        " WHERE tenant_id = $1 AND model_id IS NOT NULL GROUP BY 1",
        tenant,
    ):
        sums.setdefault(row["model_id"], {})["f_n"] = row["f_n"]
    return sums


async def _rollups(connection: asyncpg.Connection, tenant: str) -> Sums:
    totals = ", ".join(f"sum({name})::bigint AS {name}" for name in MEASURES)
    rows = await connection.fetch(
        f"SELECT model_id, {totals} FROM operation_rollup_minute WHERE tenant_id = $1 GROUP BY 1",
        tenant,
    )
    return {row["model_id"]: {name: row[name] for name in MEASURES} for row in rows}
