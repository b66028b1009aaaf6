"""Servers and full topics to measure on."""

import asyncio
import json
import os
import secrets
import shutil
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import psutil
from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis

from deploy.jobs.roles import ROLE_OF, give_passwords
from deploy.jobs.topics import create_topics
from deploy.local.kafka_jars import KafkaJars
from deploy.local.postgres import embedded_binaries, start_postgres
from deploy.local.process import Child, free_port, spawn
from deploy.local.redis import start_redis
from deploy.migrations import migrate
from shared import keys
from shared.audit.keys import keys_of
from shared.audit.recorder import Recorder
from shared.kafka_settings import plain

PARTITIONS = 6
PASSWORD = secrets.token_hex(8)
SECRET = "only-for-benchmarks-but-long-enough"
AUDIT = Recorder(keys_of(None, SECRET))
ROOT = Path(__file__).parents[1]
Keyed = tuple[bytes, bytes]
"""A record's key and value."""


@dataclass(slots=True)
class Servers:
    """Apache Kafka, Postgres and Redis of one run."""

    folder: Path
    bootstrap: str
    postgres_dsn: str
    redis_url: str
    dsns: dict[str, str]
    postgres: asyncpg.Pool
    """For looking: to connect each time would take from what is measured."""

    def service(self, name: str, prefix: str, **more: str) -> Child:
        """Start a service as a process of its own."""
        env = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "ASSAY_KAFKA_BOOTSTRAP_SERVERS": self.bootstrap,
            "ASSAY_TOPIC_PREFIX": prefix,
            "ASSAY_REDIS_URL": self.redis_url,
            "ASSAY_POSTGRES_DSN": self.dsns[name],
            "ASSAY_SECRET_KEY": SECRET,
            "ASSAY_TELEMETRY_PORT": str(free_port()),
            **more,
        }
        argv: list[str | Path] = [sys.executable, "-m", f"services.{name}"]
        return spawn(name, argv, self.folder / f"{name}.log", env=env)

    async def ingest_position(self, prefix: str) -> int:
        """Offsets that ingest has behind it."""
        return int(
            await self.postgres.fetchval(
                "SELECT coalesce(sum(next_offset), 0)::bigint FROM consumer_fence"
                " WHERE starts_with(topic, $1)",
                prefix,
            )
        )

    async def metrics_position(self, prefix: str) -> int:
        """Offsets that metrics has behind it."""
        async with Redis.from_url(self.redis_url) as client:
            pipeline = client.pipeline(transaction=False)
            for partition in range(PARTITIONS):
                pipeline.hget(keys.fence(f"{prefix}operations.v1", partition), "next")
            return sum(int(found or 0) for found in await pipeline.execute())


@asynccontextmanager
async def servers(folder: Path) -> AsyncIterator[Servers]:
    """Start all three in a fresh folder."""
    kafka = await asyncio.to_thread(_kafka, folder / "kafka")
    redis, redis_port, _ = await start_redis(folder, free_port())
    postgres, dsn, _ = await start_postgres(folder, free_port(), PASSWORD, embedded_binaries())
    await migrate(dsn)
    connection = await asyncpg.connect(dsn)
    await connection.execute("INSERT INTO tenants (tenant_id) VALUES ('acme')")
    await connection.close()
    services = dict.fromkeys(ROLE_OF, PASSWORD)
    dsns = await give_passwords(dsn, services, AUDIT)
    try:
        url = f"redis://127.0.0.1:{redis_port}/0"
        async with asyncpg.create_pool(dsn, min_size=1, max_size=4) as pool:
            yield Servers(folder, kafka.bootstrap, dsn, url, dsns, pool)
    finally:
        for child in (redis, postgres):
            child.stop(timeout_s=5)
        kafka.stop()
        if (folder / "postgres").is_symlink():  # where an unprivileged user could keep them
            shutil.rmtree((folder / "postgres").resolve().parent)


def _kafka(folder: Path) -> KafkaJars:
    kafka = KafkaJars(folder)
    kafka.start()
    return kafka


def events(count: int) -> list[Keyed]:
    """(key, value) of `count` operations of about 525 bytes, over five models and five minutes."""
    now = datetime.now(UTC)
    made = []
    for number in range(count):
        event = {
            "event_id": str(uuid4()),
            "tenant_id": "acme",
            "occurred_at": (now - timedelta(seconds=number % 300)).isoformat(),
            "operation_id": f"operation-{number:012d}",
            "model_id": f"model-{number % 5}",
            "success": number % 20 != 0,
            "response_time_ms": 20 + number * 7919 % 100_000 / 100,
            "provider": "openai",
            "operation_type": "chat",
            "agent_id": "agent-support-1",
            "environment": "production",
            "release": "2026.11.1",
            "session_id": f"session-{number % 1000:08d}",
            "user_id": f"user-{number % 500:06d}",
            "input_tokens": number % 2000,
            "output_tokens": number % 300,
            "cost_usd": 0.000123,
            "confidence": number % 100 / 100,
            "metadata": {"region": "eu-west-1", "tier": "gold"},
        }
        made.append((str(event["operation_id"]).encode(), json.dumps(event).encode()))
    return made


async def filled_topic(
    target: Servers, prefix: str, content: list[Keyed], topic: str = "operations.v1"
) -> None:
    """Make the topics of a prefix and publish all of `content` to one."""
    await create_topics(plain(target.bootstrap), prefix, PARTITIONS)
    producer = AIOKafkaProducer(
        bootstrap_servers=target.bootstrap, acks="all", compression_type="lz4", linger_ms=20
    )
    async with producer:
        for start in range(0, len(content), 5_000):
            acks = [
                await producer.send(f"{prefix}{topic}", value, key=key)
                for key, value in content[start : start + 5_000]
            ]
            await asyncio.gather(*acks)


async def rate_of(position: Callable[[], Awaitable[int]], total: int, deadline_s: float) -> float:
    """Events per second from the first sign of progress until `total`."""
    give_up_at = time.perf_counter() + deadline_s
    first: tuple[float, int] | None = None
    while time.perf_counter() < give_up_at:
        done, now = await position(), time.perf_counter()
        if first is None and done:
            first = (now, done)
        if done >= total and first is not None:
            return (done - first[1]) / max(now - first[0], 1e-9)
        await asyncio.sleep(0.02)
    raise TimeoutError(f"not at {total} within {deadline_s} s")


def rss_mb(child: Child) -> float:
    """Resident memory of a child in megabytes, its own children apart."""
    if not child.alive:
        raise RuntimeError(f"{child.name} has ended: {child.tail()}")
    return round(float(psutil.Process(child.pid).memory_info().rss) / 1e6, 1)


def cpu_s(child: Child) -> float:
    """CPU seconds that a child has taken, with its own children."""
    if not child.alive:
        raise RuntimeError(f"{child.name} has ended: {child.tail()}")
    process = psutil.Process(child.pid)
    times = [process.cpu_times(), *(one.cpu_times() for one in process.children(recursive=True))]
    return float(sum(one.user + one.system for one in times))
