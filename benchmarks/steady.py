"""All services at a steady rate: how far each is behind, how fresh the stores are, how large it all
grows, and whether the stores agree in the end."""

import asyncio
import json
import secrets
import time
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import inf
from statistics import fmean
from uuid import uuid4

from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis

from benchmarks.abtest import begin
from benchmarks.gateways import ready
from benchmarks.servers import PARTITIONS, Keyed, Servers, cpu_s, rss_mb
from deploy.jobs.reconcile import reconcile
from deploy.jobs.topics import create_topics
from deploy.jobs.where import Where
from deploy.local.process import Child, free_port
from deploy.names import SERVICES
from shared import keys
from shared.kafka_settings import plain

MODELS, USERS = 5, 500
FEEDBACK_EVERY = 50
"""One opinion for so many operations."""
TICK_S, SAMPLE_S, GROWN_EVERY_S = 0.05, 0.1, 1.0
STARTS_WITHIN_S, DRAINS_WITHIN_S, SETTLES_S = 120.0, 120.0, 20.0
OPERATIONS, SAID = "operations.v1", "feedback.v1"
READS = (
    *((name, OPERATIONS) for name in ("metrics", "ingest", "abtest")),
    *((name, SAID) for name in ("metrics", "ingest", "abtest", "feedback")),
)
"""Who reads what."""
CONSUMERS = tuple(dict.fromkeys(name for name, _ in READS))
Place = tuple[str, str, int]
"""Consumer, topic, partition."""
OPERATION = (
    '{"event_id":"%s-0000-4000-8000-%012x","tenant_id":"acme","occurred_at":"%s",'
    '"operation_id":"operation-%s-%012d","model_id":"model-%d","success":%s,'
    '"response_time_ms":%d.25,"provider":"openai","operation_type":"chat",'
    '"agent_id":"agent-support-1","environment":"production","release":"2026.11.1",'
    '"session_id":"session-%08d","user_id":"user-%06d","input_tokens":%d,"output_tokens":%d,'
    '"cost_usd":0.000123,"confidence":0.75,"metadata":{"region":"eu-west-1","tier":"gold"}}'
)
OPINION = (
    '{"event_id":"%s-0000-4000-9000-%012x","tenant_id":"acme","occurred_at":"%s",'
    '"operation_id":"operation-%s-%012d","model_id":"model-%d","rating":%d,"user_id":"user-%06d"}'
)


@dataclass(slots=True)
class Reader:
    """When how many records of a partition had been acknowledged that somebody is to read."""

    acked: deque[tuple[float, int]] = field(default_factory=deque)
    count: int = 0

    def add(self, count: int, at: float) -> None:
        """So many more, then."""
        self.count += count
        self.acked.append((at, self.count))

    def behind_s(self, shown: int) -> float:
        """How long ago the first record was acknowledged that is not among so many."""
        while self.acked and self.acked[0][1] <= shown:
            self.acked.popleft()
        return time.perf_counter() - self.acked[0][0] if self.acked else 0.0


@dataclass(slots=True)
class Found:
    """What was seen."""

    rate: float = 0.0
    drained_s: float = 0.0
    """Infinite if it did not within its time."""
    lags: dict[str, list[float]] = field(default_factory=dict)
    """Of each consumer's partition that is furthest behind, ten times a second."""
    fresh: list[float] = field(default_factory=list)
    """How old what the ready answers show is."""
    rss: dict[str, list[float]] = field(default_factory=dict)
    """Megabytes, once a second."""

    def grown(self, name: str) -> float:
        """Memory at the end as a share of that after a first tenth, each over a tenth."""
        sizes = self.rss[name]
        tenth = max(1, len(sizes) // 10)
        return fmean(sizes[-tenth:]) / fmean(sizes[tenth : 2 * tenth] or sizes)


class Steady:
    """One installation, and what is sent through it; a test runs on its operations."""

    def __init__(self, target: Servers, rate: int) -> None:
        self._target, self._rate = target, rate
        self._prefix, self._run = f"w{uuid4().hex[:6]}.", secrets.token_hex(4)
        places = [(name, topic, n) for name, topic in READS for n in range(PARTITIONS)]
        self._readers = {place: Reader() for place in places}
        self._views = Reader()
        self._redis = Redis.from_url(target.redis_url)
        self._next = 0
        self.found = Found(
            lags={name: [] for name in CONSUMERS}, rss={name: [] for name in SERVICES}
        )

    async def run(self, seconds: float) -> Found:
        """Start everything, wait until it keeps up, then measure for so long."""
        async with self._opened() as (running, producer), asyncio.TaskGroup() as group:
            # Whichever fails ends the others.
            watching = [group.create_task(one) for one in (self._look(), self._measure(running))]
            started, before = time.perf_counter(), self._next
            await self._publish(producer, seconds)
            self.found.rate = (self._next - before) / (time.perf_counter() - started)
            await self._drained()
            for task in watching:
                task.cancel()
        return self.found

    async def rest(self, seconds: float) -> dict[str, float]:
        """Percent of a core that each service takes while nothing comes, a while after some did."""
        async with self._opened() as (running, _):
            await asyncio.sleep(SETTLES_S)
            before = {name: cpu_s(child) for name, child in running.items()}
            await asyncio.sleep(seconds)
            return {
                name: 100 * (cpu_s(child) - before[name]) / seconds
                for name, child in running.items()
            }

    async def differences(self) -> tuple[int, int]:
        """Cells in which rows, minutes and live numbers differ; and events sent that are no row."""
        where = Where(self._target.postgres_dsn, self._target.redis_url, self._prefix)
        done = await reconcile(where, back=timedelta(hours=3), mend=False)
        differ = len(done.recount.differences) + sum(len(one.differences) for one in done.live)
        if not done.complete or len(done.live) != 2 * PARTITIONS:
            raise RuntimeError(f"not all could be compared: {done.as_json()}")
        stored = 0
        for table in ("ai_model_operations", "user_feedback"):
            stored += await self._target.postgres.fetchval(
                f"SELECT count(*) FROM {table} WHERE starts_with(kafka_topic, $1)", self._prefix
            )
        sent = self._next + (self._next + FEEDBACK_EVERY - 1) // FEEDBACK_EVERY
        return differ, sent - stored

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[tuple[dict[str, Child], AIOKafkaProducer]]:
        """All services, ready and warm."""
        await create_topics(plain(self._target.bootstrap), self._prefix, PARTITIONS)
        await self._redis.flushall()  # views of the parts before would be taken for this one's
        async with self._target.postgres.acquire() as connection:
            await begin(connection, f"steady-{self._prefix}")
        ports = {name: free_port() for name in SERVICES}
        running = {
            name: self._target.service(
                name,
                self._prefix,
                **{f"ASSAY_{'GATEWAY' if name == 'gateway' else 'TELEMETRY'}_PORT": str(port)},
            )
            for name, port in ports.items()
        }
        try:
            for name, port in ports.items():
                await ready(running[name], port)
            async with self._producer() as producer:
                await self._publish(producer, 1.0)
                await self._caught_up(STARTS_WITHIN_S)
                yield running, producer
        finally:
            for child in running.values():
                child.stop(timeout_s=10)
            await self._redis.aclose()

    def _producer(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            bootstrap_servers=self._target.bootstrap,
            acks="all",
            compression_type="lz4",
            linger_ms=5,
        )

    async def _publish(self, producer: AIOKafkaProducer, seconds: float) -> None:
        """On schedule, a tick's records once those of the tick before are acknowledged."""
        size = int(self._rate * TICK_S)
        started = time.perf_counter()
        for tick in range(1, int(seconds / TICK_S) + 1):
            for topic, content in self._made(size).items():
                acks = [
                    await producer.send(f"{self._prefix}{topic}", value, key=key)
                    for key, value in content
                ]
                self._note(topic, [one.partition for one in await asyncio.gather(*acks)])
            await asyncio.sleep(max(0.0, started + tick * TICK_S - time.perf_counter()))

    def _note(self, topic: str, partitions: list[int]) -> None:
        now = time.perf_counter()
        for partition, count in Counter(partitions).items():
            for name, read in READS:
                if read == topic:
                    self._readers[name, topic, partition].add(count, now)
        if topic == OPERATIONS:
            self._views.add(len(partitions), now)

    def _made(self, size: int) -> dict[str, list[Keyed]]:
        now = datetime.now(UTC).isoformat()
        made: dict[str, list[Keyed]] = {OPERATIONS: [], SAID: []}
        for n in range(self._next, self._next + size):
            key = f"operation-{self._run}-{n:012d}".encode()
            made[OPERATIONS].append((key, self._operation(n, now)))
            if n % FEEDBACK_EVERY == 0:
                about = (self._run, n, now, self._run, n, n // FEEDBACK_EVERY % MODELS)
                said = OPINION % (*about, 1 + n // FEEDBACK_EVERY % 5, n % USERS)
                made[SAID].append((key, said.encode()))
        self._next += size
        return made

    def _operation(self, n: int, now: str) -> bytes:
        of = (self._run, n, now, self._run, n, n % MODELS, "false" if n % 20 == 0 else "true")
        numbers = (20 + n * 7919 % 1000, n % 1000, n % USERS, n % 2000, n % 300)
        return (OPERATION % (*of, *numbers)).encode()

    async def _positions(self) -> dict[Place, int]:
        """How much of each partition each consumer has behind it."""
        rows = await self._target.postgres.fetch(
            "SELECT consumer_group, topic, partition, next_offset FROM consumer_fence"
            " WHERE starts_with(topic, $1)",
            self._prefix,
        )
        found = {
            (name, topic.removeprefix(self._prefix), partition): int(at)
            for name, topic, partition, at in rows
        }
        live = [place for place in self._readers if place[0] == "metrics"]
        pipeline = self._redis.pipeline(transaction=False)
        for _, topic, partition in live:
            pipeline.hget(keys.fence(f"{self._prefix}{topic}", partition), "next")
        at = [int(found or 0) for found in await pipeline.execute()]
        return found | dict(zip(live, at, strict=True))

    async def _caught_up(self, within_s: float) -> None:
        async with asyncio.timeout(within_s):
            while True:
                at = await self._positions()
                if all(at.get(place, 0) >= one.count for place, one in self._readers.items()):
                    return
                await asyncio.sleep(0.05)

    async def _drained(self) -> None:
        ended = time.perf_counter()
        try:
            await self._caught_up(DRAINS_WITHIN_S)
            self.found.drained_s = time.perf_counter() - ended
        except TimeoutError:
            self.found.drained_s = inf

    async def _look(self) -> None:
        due = time.perf_counter()
        while True:
            at, shown = await self._positions(), await _in_views(self._redis)
            behind = dict.fromkeys(self.found.lags, 0.0)
            for place, reader in self._readers.items():
                behind[place[0]] = max(behind[place[0]], reader.behind_s(at.get(place, 0)))
            fresh = self._views.behind_s(shown)
            # A look that took long stands for all that were due meanwhile.
            while due <= time.perf_counter():
                due += SAMPLE_S
                for name, lag in behind.items():
                    self.found.lags[name].append(lag)
                self.found.fresh.append(fresh)
            await asyncio.sleep(due - time.perf_counter())

    async def _measure(self, running: dict[str, Child]) -> None:
        while True:
            for name, child in running.items():
                self.found.rss[name].append(rss_mb(child))
            await asyncio.sleep(GROWN_EVERY_S)


async def _in_views(client: Redis) -> int:
    """Operations that the ready answers of all models show."""
    pipeline = client.pipeline(transaction=False)
    for number in range(MODELS):
        pipeline.hget(keys.view("acme", f"model-{number}"), "1h")
    return sum(json.loads(found)["sample"] for found in await pipeline.execute() if found)


def quantile(values: list[float], share: float) -> float:
    """Of what was sampled."""
    ordered = sorted(values)
    return round(ordered[int(share * (len(ordered) - 1))], 3)
