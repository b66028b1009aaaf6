"""All services at a steady rate: how far each is behind, how fresh the stores are, how large it all
grows, and whether the stores agree in the end."""

import asyncio
import json
import secrets
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import fmean
from uuid import uuid4

import asyncpg
from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis

from benchmarks.servers import PARTITIONS, Keyed, Servers, cpu_s, rss_mb
from deploy.jobs.reconcile import Reconciliation, reconcile
from deploy.jobs.topics import create_topics
from deploy.jobs.where import Where
from deploy.local.process import Child, free_port
from shared import keys
from shared.kafka_settings import plain

SERVICES = ("metrics", "ingest", "abtest", "feedback", "notify", "gateway")
MODELS, USERS = 5, 500
FEEDBACK_EVERY = 50
"""One opinion for so many operations."""
TICK_S, SAMPLE_S, GROWN_EVERY_S = 0.05, 0.1, 1.0
STARTS_WITHIN_S, DRAINS_WITHIN_S, SETTLES_S = 120.0, 120.0, 20.0
OPERATIONS, SAID = "operations.v1", "feedback.v1"
READS = {"metrics": OPERATIONS, "ingest": OPERATIONS, "abtest": OPERATIONS, "feedback": SAID}
"""What each consumer's lag is measured on."""
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
    """When how many records had been acknowledged that somebody is to read."""

    acked: deque[tuple[float, int]] = field(default_factory=deque)
    count: int = 0

    def add(self, count: int) -> None:
        """So many more, just now."""
        self.count += count
        self.acked.append((time.perf_counter(), self.count))

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
    lags: dict[str, list[float]] = field(default_factory=dict)
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
    """One installation, and what is sent through it."""

    def __init__(self, target: Servers, rate: int) -> None:
        self._target, self._rate = target, rate
        self._prefix, self._run = f"w{uuid4().hex[:6]}.", secrets.token_hex(4)
        self._readers = {name: Reader() for name in (*READS, "views")}
        self._next = 0
        self.found = Found(lags={name: [] for name in READS}, rss={name: [] for name in SERVICES})

    async def run(self, seconds: float) -> Found:
        """Start everything, wait until it keeps up, then measure for so long."""
        await create_topics(plain(self._target.bootstrap), self._prefix, PARTITIONS)
        async with Redis.from_url(self._target.redis_url) as client:
            await client.flushall()  # views of the parts before would be taken for this one's
        with self._services() as running:
            async with self._producer() as producer:
                await self._warm(producer)
                stop = asyncio.Event()
                watching = [
                    asyncio.ensure_future(one)
                    for one in (self._look(stop), self._measure(running, stop))
                ]
                started, before = time.perf_counter(), self._next
                await self._publish(producer, seconds)
                self.found.rate = (self._next - before) / (time.perf_counter() - started)
                await self._drained()
                stop.set()
                await asyncio.gather(*watching)
        return self.found

    async def rest(self, seconds: float) -> dict[str, float]:
        """Percent of a core that each service takes while nothing comes, a while after some did."""
        await create_topics(plain(self._target.bootstrap), self._prefix, PARTITIONS)
        with self._services() as running:
            async with self._producer() as producer:
                await self._warm(producer)
            await asyncio.sleep(SETTLES_S)
            before = {name: cpu_s(child) for name, child in running.items()}
            await asyncio.sleep(seconds)
            return {
                name: 100 * (cpu_s(child) - before[name]) / seconds
                for name, child in running.items()
            }

    def _producer(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            bootstrap_servers=self._target.bootstrap,
            acks="all",
            compression_type="lz4",
            linger_ms=5,
        )

    async def compared(self) -> Reconciliation:
        """Whether rows, minutes and live cells agree."""
        where = Where(self._target.postgres_dsn, self._target.redis_url, self._prefix)
        return await reconcile(where, back=timedelta(hours=3), mend=False)

    @contextmanager
    def _services(self) -> Iterator[dict[str, Child]]:
        port = str(free_port())
        running = {
            name: self._target.service(
                name, self._prefix, **({"ASSAY_GATEWAY_PORT": port} if name == "gateway" else {})
            )
            for name in SERVICES
        }
        try:
            yield running
        finally:
            for child in running.values():
                child.stop(timeout_s=10)

    async def _warm(self, producer: AIOKafkaProducer) -> None:
        """A second's load, until every consumer has it behind it."""
        await self._publish(producer, 1.0)
        async with asyncio.timeout(STARTS_WITHIN_S):
            while not self._is_done(await self._positions()):
                await asyncio.sleep(0.2)

    async def _publish(self, producer: AIOKafkaProducer, seconds: float) -> None:
        """On schedule, whatever became of what came before."""
        size = int(self._rate * TICK_S)
        started = time.perf_counter()
        for tick in range(1, int(seconds / TICK_S) + 1):
            for topic, content in self._made(size).items():
                acks = [
                    await producer.send(f"{self._prefix}{topic}", value, key=key)
                    for key, value in content
                ]
                await asyncio.gather(*acks)
                for name, reader in self._readers.items():
                    if READS.get(name, OPERATIONS) == topic:
                        reader.add(len(content))
            await asyncio.sleep(max(0.0, started + tick * TICK_S - time.perf_counter()))

    def _made(self, size: int) -> dict[str, list[Keyed]]:
        now = datetime.now(UTC).isoformat()
        made: dict[str, list[Keyed]] = {OPERATIONS: [], SAID: []}
        for n in range(self._next, self._next + size):
            key = f"operation-{self._run}-{n:012d}".encode()
            made[OPERATIONS].append((key, self._operation(n, now)))
            if n % FEEDBACK_EVERY == 0:
                about = (self._run, n, now, self._run, n, n % MODELS)
                said = OPINION % (*about, 1 + n // FEEDBACK_EVERY % 5, n % USERS)
                made[SAID].append((key, said.encode()))
        self._next += size
        return made

    def _operation(self, n: int, now: str) -> bytes:
        of = (self._run, n, now, self._run, n, n % MODELS, "false" if n % 20 == 0 else "true")
        numbers = (20 + n * 7919 % 1000, n % 1000, n % USERS, n % 2000, n % 300)
        return (OPERATION % (*of, *numbers)).encode()

    async def _positions(self) -> dict[str, int]:
        """How much of its topic each consumer has behind it."""
        connection = await asyncpg.connect(self._target.postgres_dsn)
        try:
            rows = await connection.fetch(
                "SELECT consumer_group AS name, topic, sum(next_offset)::bigint AS at"
                "  FROM consumer_fence WHERE starts_with(topic, $1) GROUP BY 1, 2",
                self._prefix,
            )
        finally:
            await connection.close()
        stored = {(row["name"], row["topic"].removeprefix(self._prefix)): row["at"] for row in rows}
        found = {name: int(stored.get((name, topic), 0)) for name, topic in READS.items()}
        return found | {"metrics": await self._target.metrics_position(self._prefix)}

    def _is_done(self, positions: dict[str, int]) -> bool:
        return all(positions[name] >= self._readers[name].count for name in READS)

    async def _drained(self) -> None:
        ended = time.perf_counter()
        async with asyncio.timeout(DRAINS_WITHIN_S):
            while not self._is_done(await self._positions()):
                await asyncio.sleep(0.05)
        self.found.drained_s = time.perf_counter() - ended

    async def _look(self, stop: asyncio.Event) -> None:
        async with Redis.from_url(self._target.redis_url) as client:
            while not stop.is_set():
                positions = await self._positions()
                for name, lags in self.found.lags.items():
                    lags.append(self._readers[name].behind_s(positions[name]))
                self.found.fresh.append(self._readers["views"].behind_s(await _in_views(client)))
                await asyncio.sleep(SAMPLE_S)

    async def _measure(self, running: dict[str, Child], stop: asyncio.Event) -> None:
        while not stop.is_set():
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
