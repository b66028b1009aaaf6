"""Consumers from a full topic: FastStream's raw ceiling, metrics and ingest, in turn.

Metrics and ingest read the same events again with 5 % poison among them.
"""

import asyncio
import json
import time
from datetime import datetime
from functools import partial
from itertools import cycle
from typing import Any
from uuid import uuid4

import asyncpg

from benchmarks.servers import Keyed, Servers, events, filled_topic, rate_of, rss_mb
from shared.kafka import consumer_broker, subscribe_batches
from shared.settings import SharedSettings
from tests.support.poison import poison

EVENTS = 150_000
POISON_EVERY = 20
MAX_POISON_BYTES = 32_768
ROUNDS = 3


async def consuming(target: Servers) -> dict[str, Any]:
    """Events per second of each, on the same records, some times over."""
    results: dict[str, Any] = {}
    for _ in range(ROUNDS):
        content = events(EVENTS)  # the same once more would be repeats, which ingest stores nowhere
        prefix = f"b{uuid4().hex[:6]}."
        await filled_topic(target, prefix, content)
        _add(results, {"faststream_raw": await _raw(target, prefix)})
        _add(results, await _services(target, prefix, ""))
        _add(results, {"copy_staging": await _copy_ceiling(target)})
    prefix = f"p{uuid4().hex[:6]}."
    await filled_topic(target, prefix, _poisoned(events(EVENTS)))
    return results | await _services(target, prefix, "_poisoned")


def _add(results: dict[str, Any], more: dict[str, float]) -> None:
    for name, value in more.items():
        results.setdefault(name, []).append(value)


async def _services(target: Servers, prefix: str, suffix: str) -> dict[str, float]:
    """Metrics, then ingest, from the beginning of the topic to its end."""
    results: dict[str, float] = {}
    for name, position in (
        ("metrics", target.metrics_position),
        ("ingest", target.ingest_position),
    ):
        service = target.service(name, prefix)
        try:
            results[name + suffix] = await rate_of(partial(position, prefix), EVENTS, 180)
            results[f"{name}{suffix}_rss_mb"] = rss_mb(service)
        finally:
            service.stop()
    return results


def _poisoned(content: list[Keyed]) -> list[Keyed]:
    """The same with every twentieth record replaced, by each kind of poison in turn."""
    # Values of 70 kB and more would measure the network.
    bad = cycle(value for _, value, _ in poison(0) if value and len(value) <= MAX_POISON_BYTES)
    return [
        (key, next(bad) if number % POISON_EVERY == 0 else value)
        for number, (key, value) in enumerate(content)
    ]


async def _raw(target: Servers, prefix: str) -> float:
    """Nothing but FastStream handing raw batches over."""
    settings = SharedSettings(kafka_bootstrap_servers=target.bootstrap, redis_url="redis://unused")
    broker = consumer_broker(settings)
    seen, before, first, last = 0, 0, 0.0, 0.0
    complete = asyncio.Event()

    async def count(records: Any) -> None:
        nonlocal seen, before, first, last
        last = time.perf_counter()
        seen += len(records)
        if not first:
            first, before = last, seen
        if seen >= EVENTS:
            complete.set()

    subscribe_batches(broker, f"{prefix}operations.v1", group="raw", apply=count, max_records=4_000)
    await broker.start()
    await asyncio.wait_for(complete.wait(), 60)
    await broker.stop()
    return (seen - before) / (last - first)


async def _copy_ceiling(target: Servers) -> float:
    """COPY into a temporary table, then INSERT SELECT: what any fenced ingest must pay."""
    connection = await asyncpg.connect(target.postgres_dsn)
    await connection.execute(
        """
        CREATE UNLOGGED TABLE ceiling (tenant_id text, event_id uuid, occurred_at timestamptz,
            model_id text, response_time_ms float8, body text,
            PRIMARY KEY (tenant_id, event_id, occurred_at));
        ALTER TABLE ceiling SET LOGGED;
        CREATE TEMPORARY TABLE staged (LIKE ceiling) ON COMMIT DELETE ROWS;
        SET synchronous_commit = off;
        """
    )
    rows = []
    for _, value in events(60_000):
        event = json.loads(value)
        rows.append(
            ("acme", event["event_id"], datetime.fromisoformat(event["occurred_at"]),
             event["model_id"], event["response_time_ms"], value.decode()[:300])
        )  # fmt: skip
    started = time.perf_counter()
    for start in range(0, len(rows), 4_000):
        async with connection.transaction():
            await connection.copy_records_to_table("staged", records=rows[start : start + 4_000])
            await connection.execute(
                "INSERT INTO ceiling SELECT * FROM staged ON CONFLICT DO NOTHING"
            )
    rate = len(rows) / (time.perf_counter() - started)
    await connection.execute("DROP TABLE ceiling")
    await connection.close()
    return rate
