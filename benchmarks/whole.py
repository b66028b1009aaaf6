"""The whole system at a steady rate: does it keep up, and how fresh are its stores."""

import asyncio
import json
import time
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis

from benchmarks.servers import PARTITIONS, Servers, events, rss_mb
from deploy.jobs.topics import create_topics
from deploy.local.process import free_port
from shared import keys
from shared.kafka_settings import plain

RATE = 5_000
SECONDS = 30
TICK_S = 0.05
SAMPLE_S = 0.05


async def whole(target: Servers) -> dict[str, Any]:
    """Publish at RATE, and sample how far each store is behind, in time."""
    prefix = f"w{uuid4().hex[:6]}."
    await create_topics(plain(target.bootstrap), prefix, PARTITIONS)
    async with Redis.from_url(target.redis_url) as client:
        await client.flushall()  # views of the parts before would be taken for this one's
    running = {
        "metrics": target.service("metrics", prefix),
        "ingest": target.service("ingest", prefix),
        "gateway": target.service("gateway", prefix, ASSAY_GATEWAY_PORT=str(free_port())),
    }
    content = events(RATE * SECONDS)
    acked: list[tuple[float, int]] = [(time.perf_counter(), 0)]
    lags: dict[str, list[float]] = {"redis": [], "postgres": []}
    stop = asyncio.Event()
    try:
        await _warm(target, prefix)
        base = [await target.metrics_position(prefix), await target.ingest_position(prefix)]
        samplers = [
            _sample(lambda: _in_views(target), acked, lags["redis"], stop, 0),
            _sample(lambda: target.ingest_position(prefix), acked, lags["postgres"], stop, base[1]),
        ]
        watching = [asyncio.ensure_future(one) for one in samplers]
        seconds = await _publish(target, prefix, content, acked)
        while (await target.ingest_position(prefix)) < base[1] + len(content):
            await asyncio.sleep(0.05)
        drained = time.perf_counter() - acked[-1][0]
        stop.set()
        await asyncio.gather(*watching)
        memory = {f"whole_{name}_rss_mb": rss_mb(child) for name, child in running.items()}
    finally:
        for child in running.values():
            child.stop(timeout_s=10)
    return {
        "whole_rate": len(content) / seconds,
        "whole_drained_after_s": round(drained, 2),
        "freshness_redis_p50_s": _quantile(lags["redis"], 0.5),
        "freshness_redis_p99_s": _quantile(lags["redis"], 0.99),
        "freshness_postgres_p50_s": _quantile(lags["postgres"], 0.5),
        "freshness_postgres_p99_s": _quantile(lags["postgres"], 0.99),
        **memory,
    }


async def _warm(target: Servers, prefix: str) -> None:
    """Wait until both consumers have their partitions, by one event in each."""
    producer = AIOKafkaProducer(bootstrap_servers=target.bootstrap, acks="all")
    async with producer:
        for partition in range(PARTITIONS):
            value = json.loads(events(1)[0][1]) | {"model_id": "warm-up"}
            await producer.send_and_wait(
                f"{prefix}operations.v1", json.dumps(value).encode(), partition=partition
            )
    while (
        await target.metrics_position(prefix) < PARTITIONS
        or await target.ingest_position(prefix) < PARTITIONS
    ):
        await asyncio.sleep(0.1)


async def _publish(
    target: Servers,
    prefix: str,
    content: list[tuple[bytes, bytes]],
    acked: list[tuple[float, int]],
) -> float:
    """Publish on schedule; note when how many were acknowledged."""
    producer = AIOKafkaProducer(
        bootstrap_servers=target.bootstrap, acks="all", compression_type="lz4", linger_ms=5
    )
    size = int(RATE * TICK_S)
    async with producer:
        started = time.perf_counter()
        for start in range(0, len(content), size):
            acks = [
                await producer.send(f"{prefix}operations.v1", value, key=key)
                for key, value in content[start : start + size]
            ]
            await asyncio.gather(*acks)
            acked.append((time.perf_counter(), start + size))
            await asyncio.sleep(max(0.0, started + (start + size) / RATE - time.perf_counter()))
        return time.perf_counter() - started


async def _in_views(target: Servers) -> int:
    """Operations that the ready answers of all five models show."""
    async with Redis.from_url(target.redis_url) as client:
        pipeline = client.pipeline(transaction=False)
        for number in range(5):
            pipeline.hget(keys.view("acme", f"model-{number}"), "1h")
        return sum(json.loads(found)["sample"] for found in await pipeline.execute() if found)


async def _sample(
    position: Any, acked: list[tuple[float, int]], lags: list[float], stop: asyncio.Event, base: int
) -> None:
    """How long ago were as many events acknowledged as the store shows now."""
    before = await position() - base
    while not stop.is_set():
        shown, now = await position() - before - base, time.perf_counter()
        behind = next((at for at, count in acked if count > shown), None)
        lags.append(0.0 if behind is None else now - behind)
        await asyncio.sleep(SAMPLE_S)


def _quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return round(ordered[int(share * (len(ordered) - 1))], 3)
