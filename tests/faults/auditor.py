"""Holds all stores against the journal: nothing lost, nothing invented, nothing counted twice.

It knows what was sent, not how Assay works: sums are made from the journal's own facts. Only the
comparison of minutes with rows, distributions included, uses the product's fold.
"""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from redis.asyncio import Redis, RedisCluster

from deploy.jobs.recount import recount
from shared import keys
from shared.delivery.plan import Partition
from tests.faults import alerts, books, breaches, stored
from tests.faults.alerts import Told
from tests.faults.books import Cells, Finding
from tests.faults.journal import Journal
from tests.faults.topic import partitions_of, whole

BACK = timedelta(hours=3)
STILL_S = 4.0
EXPIRING_S = 900


class Auditor:
    """Reads every store past the services."""

    def __init__(self, kafka: str, prefix: str, dsn: str, redis_url: str, journal: Journal) -> None:
        self._kafka, self._dsn, self.redis_url = kafka, dsn, redis_url
        self.partitions = [
            one
            for kind in ("operations", "feedback")
            for one in partitions_of(f"{prefix}{kind}.v1")
        ]
        self._alerts_topic = f"{prefix}alerts.v1"
        self._journal = journal
        self.cluster = False

    async def verdict(self, deadline_s: float = 60) -> list[Finding]:
        """What is wrong once nothing moves any more; empty when all is right."""

        async def look() -> list[Finding]:
            return [one async for one in self._findings()] or await self._unpublished()

        return await _settled(look, deadline_s)

    async def verdict_on_alerts(self, deadline_s: float = 60) -> list[Finding]:
        """The same of alerts alone, where the journal does not have all that was sent."""

        async def look() -> list[Finding]:
            connection = await asyncpg.connect(self._dsn)
            try:
                async with connection.transaction(isolation="repeatable_read", readonly=True):
                    behind = [
                        one for one in await self._positions(connection) if one.kind == "behind"
                    ]
                    # Rows that are not there yet are no fault of an alert.
                    return behind or await self._alerts(connection)
            finally:
                await connection.close()

        return await _settled(look, deadline_s)

    async def sent(self) -> int:
        """How many records Kafka holds, of the two topics together."""
        return sum((await self.ends()).values())

    async def ends(self) -> dict[Partition, int]:
        """Where each partition's log ends."""
        asked = [TopicPartition(*one) for one in self.partitions]
        async with AIOKafkaConsumer(bootstrap_servers=self._kafka) as consumer:
            found = await consumer.end_offsets(asked)
        return {one: found[TopicPartition(*one)] for one in self.partitions}

    async def positions(self) -> tuple[dict[Partition, int], dict[Partition, int]]:
        """Where ingest stands in Postgres and metrics in Redis; 0 where neither has begun."""
        connection = await asyncpg.connect(self._dsn)
        try:
            rows = await connection.fetch(
                "SELECT topic, partition, next_offset FROM consumer_fence"
                " WHERE consumer_group = 'ingest'"
            )
        finally:
            await connection.close()
        at = {Partition(*row[:2]): row[2] for row in rows}
        return {one: at.get(one, 0) for one in self.partitions}, await self.live_positions()

    async def live_positions(self) -> dict[Partition, int]:
        """Where metrics stands."""
        async with self.redis() as client:
            return {
                one: int(await client.hget(keys.fence(*one), "next") or 0)
                for one in self.partitions
            }

    async def _findings(self) -> AsyncIterator[Finding]:
        intents, acks = self._journal.read()
        # Live minutes are kept for three hours: those that may just expire are not compared.
        lasting = (datetime.now(UTC) - BACK).timestamp() + EXPIRING_S
        connection = await asyncpg.connect(self._dsn)
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                for one in await self._positions(connection):
                    yield one
                rows = await stored.rows(connection)
                for check in (
                    books.events(intents, acks, rows),
                    books.dead_letters(intents, acks, await stored.dead_rows(connection)),
                    books.totals(intents, rows, await stored.minute_totals(connection)),
                ):
                    for one in check:
                        yield one
                for one in await self._alerts(connection):
                    yield one
                minutes = await stored.minutes(connection, lasting)
            since = (datetime.now(UTC) - BACK).replace(second=0, microsecond=0)
            for _, key, lacking in (await recount(connection, since)).differences:
                yield Finding("different", 1, f"minute {key} lacks {lacking} of its rows")
        finally:
            await connection.close()
        async for one in self._cells(minutes, lasting):
            yield one

    async def _unpublished(self) -> list[Finding]:
        """Dead letters that their topic does not have."""
        connection = await asyncpg.connect(self._dsn)
        letters = {
            b"%s:%d:%d" % (t.encode(), p, o) for t, p, o in await stored.dead_rows(connection)
        }
        await connection.close()
        asked = [Partition(f"{one.topic}.dlq", one.partition) for one in self.partitions]
        letters -= {record.key for record in await whole(self._kafka, asked)}
        if not letters:
            return []
        return [
            Finding("behind", len(letters), f"letters not in their topic: {sorted(letters)[:5]}")
        ]

    async def told(self) -> list[Told]:
        """Every step on the topic of alerts, copies too."""
        return [
            Told(Partition(one.topic, one.partition), one.offset, json.loads(one.value))
            for one in await whole(self._kafka, partitions_of(self._alerts_topic))
        ]

    async def _alerts(self, connection: asyncpg.Connection) -> list[Finding]:
        """Alerts told, kept, and decided anew."""
        rules, steps = await stored.rules(connection), await stored.steps(connection)
        told = await self.told()  # after the rows: it has what they have, and perhaps more
        if not rules and not steps and not told:
            return []
        now = datetime.now(UTC).timestamp()
        alive, minutes = await stored.alerts(connection), await stored.series_minutes(connection)
        read_to = {
            Partition(*row[:2]): row["next_offset"]
            for row in await connection.fetch(
                "SELECT topic, partition, next_offset FROM consumer_fence WHERE topic = $1",
                self._alerts_topic,
            )
        }
        return [
            *alerts.copies(told),
            *alerts.kept(told, steps, read_to),
            *alerts.latest(steps, alive),
            *alerts.lives(told),
            *alerts.one_at_a_time(told),
            *breaches.fitting(rules, alive, minutes, now),
            *breaches.stated(rules, [one.body for one in told], minutes),
        ]

    async def _positions(self, connection: asyncpg.Connection) -> list[Finding]:
        ends = await self.ends()
        fences = {
            Partition(row["topic"], row["partition"]): dict(row)
            for row in await connection.fetch(
                "SELECT * FROM consumer_fence WHERE consumer_group = 'ingest'"
            )
        }
        out: list[Finding] = []
        async with self.redis() as client:
            for one in self.partitions:
                end, fence = ends[one], fences.get(one, {})
                live = {
                    name.decode(): int(value)
                    for name, value in (await client.hgetall(keys.fence(*one))).items()
                }
                verdicts = ("accepted", "duplicates", "dead", "gaps")
                out += books.positions("ingest", one, end, fence, 0, verdicts)
                verdicts = ("accepted", "duplicates", "invalid", "gaps")
                out += books.positions("metrics", one, end, live, live.get("base", 0), verdicts)
        return out

    async def _cells(self, minutes: Cells, since: float) -> AsyncIterator[Finding]:
        live: Cells = defaultdict(dict)
        async with self.redis() as client:
            for one in self.partitions:
                generation = int(await client.hget(keys.fence(*one), "gen") or 0)
                start = f"{keys.tag(*one)}:g{generation}:"
                async for name in client.scan_iter(match=f"{start}[mh]:*", count=1_000):
                    member = name.decode().removeprefix(start)
                    resolution, _, at = keys.split_member(member)
                    if resolution == keys.MINUTE_CELLS and at < since:
                        continue
                    for field, value in (await client.hgetall(name)).items():
                        series, _, measure = field.decode().rpartition(keys.SEPARATOR)
                        if int(value):
                            live[one, member, series][measure] = int(value)
        for place in sorted(live.keys() | minutes.keys()):
            for one in books.cell(place, minutes.get(place, {}), live.get(place, {})):
                yield one

    def redis(self) -> Any:
        """A client of Redis."""
        kind: Any = RedisCluster if self.cluster else Redis
        return kind.from_url(self.redis_url)


async def _settled(
    look: Callable[[], Awaitable[list[Finding]]], deadline_s: float
) -> list[Finding]:
    """What a look finds once it finds nothing, or has found the same for a while."""
    give_up_at = time.monotonic() + deadline_s
    before: list[Finding] = []
    still_since = time.monotonic()
    while True:
        found = await look()
        if not found:
            return []
        if found != before:
            before, still_since = found, time.monotonic()
        waits = any(one.kind == "behind" for one in found)
        still_for = time.monotonic() - still_since
        if (still_for > STILL_S and not waits) or time.monotonic() > give_up_at:
            return found
        await asyncio.sleep(0.3)  # between two looks at the same condition
