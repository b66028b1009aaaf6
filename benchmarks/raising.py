"""From the event that makes a model bad to its alert on the topic: how long, at the worst."""

import asyncio
import json
import random
import time
from typing import Any
from uuid import uuid4

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from benchmarks.servers import PARTITIONS, Servers, events
from deploy.jobs.topics import create_topics
from shared.events.alert import AlertEvent
from shared.kafka_settings import plain

MODELS = 200
SECONDS = 60.0
EVENTS = 40
RULE = {"name": "errors", "metric": "error_rate", "operator": ">", "warning": 0.2}
DEADLINE_S = 120


async def raising(target: Servers) -> dict[str, Any]:
    """Seconds until alerts fire, of models that go bad at random moments."""
    prefix = f"r{uuid4().hex[:6]}."
    await create_topics(plain(target.bootstrap), prefix, PARTITIONS)
    await _rule(target)
    metrics = target.service("metrics", prefix)
    try:
        await _go_bad(target, prefix, ["warm-up"], 0)
        await _fired(target, prefix, ["warm-up"])
        models = [f"ill-{number}" for number in range(MODELS)]
        listening = asyncio.ensure_future(_fired(target, prefix, models))
        bad_at = await _go_bad(target, prefix, models, SECONDS)
        fired_at = await listening
    finally:
        metrics.stop(timeout_s=10)
    took = sorted(fired_at[model] - bad_at[model] for model in models)
    return {
        "alert_raised_p50_s": round(took[len(took) // 2], 2),
        "alert_raised_p99_s": round(took[int(0.99 * (len(took) - 1))], 2),
    }


async def _rule(target: Servers) -> None:
    connection = await asyncpg.connect(target.postgres_dsn)
    await connection.execute("DELETE FROM alert_rules")
    await connection.execute(
        "INSERT INTO alert_rules (tenant_id, rule_id, body, created_by) "
        "VALUES ('acme', $1, $2, 'bench')",
        uuid4(),
        json.dumps(RULE),
    )
    await connection.close()


async def _go_bad(
    target: Servers, prefix: str, models: list[str], seconds: float
) -> dict[str, float]:
    """Publish each model's failures at a moment of its own; answers when they were acknowledged."""
    chance = random.Random(1)
    moments = sorted((chance.uniform(0, seconds), model) for model in models)
    acked: dict[str, float] = {}
    template = json.loads(events(1)[0][1])
    producer = AIOKafkaProducer(bootstrap_servers=target.bootstrap, acks="all", linger_ms=5)
    async with producer:
        started = time.perf_counter()
        for moment, model in moments:
            await asyncio.sleep(max(0.0, started + moment - time.perf_counter()))
            acks = []
            for _ in range(EVENTS):
                name = uuid4().hex
                failed = {"operation_id": name, "model_id": model, "success": False}
                value = json.dumps(template | failed | {"event_id": str(uuid4())}).encode()
                acks.append(await producer.send(f"{prefix}operations.v1", value, key=name.encode()))
            await asyncio.gather(*acks)
            acked[model] = time.perf_counter()
    return acked


async def _fired(target: Servers, prefix: str, wanted: list[str]) -> dict[str, float]:
    """When the alert of each model was first seen to fire."""
    seen: dict[str, float] = {}
    consumer = AIOKafkaConsumer(
        f"{prefix}alerts.v1",
        bootstrap_servers=target.bootstrap,
        auto_offset_reset="earliest",
    )
    async with consumer, asyncio.timeout(SECONDS + DEADLINE_S):
        while set(wanted) - seen.keys():
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    event = AlertEvent.model_validate_json(record.value)
                    if event.state == "firing":
                        seen.setdefault(event.model_id, time.perf_counter())
    return seen
