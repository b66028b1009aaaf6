"""A tenant with something on every page of the dashboard, and traffic that goes on."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, NamedTuple
from uuid import uuid4

import asyncpg
import httpx2
from aiokafka import AIOKafkaProducer

from benchmarks.feedback import COMMENTS
from benchmarks.servers import AUDIT, Keyed, Servers, filled_topic
from deploy.jobs.keys import create_key
from deploy.local.process import Child, free_port

TENANT = "watched"
MODELS, SAID = 20, 300
DAY_S, OF_DAY = 86_000, 6_000
HOUR_S, OF_HOUR = 3_300, 6_000
PAST = OF_DAY + OF_HOUR
"""Operations before: every five minutes one of each model for a day, and more in the last hour."""
RATE, TICK_S = 50, 0.1
READY_WITHIN_S = 180.0
SERVICES = ("metrics", "ingest", "abtest", "feedback")
MADE = {
    "/ai/alert-rules": {
        "name": "Too many fail",
        "metric": "error_rate",
        "operator": ">",
        "warning": 0.2,
    },
    "/ai/review-queues": {"name": "A queue", "strategy": "random", "sample": 20},
    "/ai/ab-tests": {
        "key": "watched",
        "name": "Is the second better?",
        "variants": [
            {"key": "a", "model_id": "model-1", "weight": 0.5, "is_control": True},
            {"key": "b", "model_id": "model-2", "weight": 0.5},
        ],
        "metrics": [{"name": "success_rate", "role": "primary", "min_effect": 0.02}],
    },
}


class Fleet(NamedTuple):
    """Where its gateway is asked, by which key, and the process that answers."""

    url: str
    key: str
    gateway: Child


class Watched:
    """The services of one tenant; gateways are started as they are needed."""

    def __init__(self, target: Servers, key: str) -> None:
        self.prefix = f"d{uuid4().hex[:6]}."
        self._target, self._key = target, key
        self._running: list[Child] = []

    def start(self) -> None:
        """All but gateways."""
        self._running += [self._target.service(name, self.prefix) for name in SERVICES]

    def stop(self) -> None:
        """All that was started."""
        for child in reversed(self._running):
            child.stop(timeout_s=20)

    async def gateway(self, **settings: str) -> Fleet:
        """One more gateway, once it answers."""
        port = free_port()
        child = self._target.service(
            "gateway", self.prefix, ASSAY_GATEWAY_PORT=str(port), **settings
        )
        self._running.append(child)
        fleet = Fleet(f"http://127.0.0.1:{port}", self._key, child)
        await _until(lambda: _answers(fleet, "/readyz"), "the gateway is ready")
        return fleet


@asynccontextmanager
async def watched(target: Servers) -> AsyncIterator[Watched]:
    """A tenant of its own, with a day behind it and RATE events a second from now on."""
    connection = await asyncpg.connect(target.postgres_dsn)
    await connection.execute("INSERT INTO tenants (tenant_id) VALUES ($1)", TENANT)
    await connection.close()
    made = await create_key(
        target.postgres_dsn, tenant=TENANT, role="admin", name="bench", audit=AUDIT
    )
    found = Watched(target, made.key)
    await filled_topic(target, found.prefix, _past())
    found.start()
    going_on = asyncio.ensure_future(_traffic(target, found.prefix))
    try:
        yield found
        if going_on.done():
            going_on.result()
            raise RuntimeError("the traffic has ended")
    finally:
        going_on.cancel()
        found.stop()


async def furnish(target: Servers, prefix: str, fleet: Fleet) -> None:
    """Make what people make, and wait until each list has something to show."""
    await filled_topic(target, prefix, [_said(n) for n in range(SAID)], "feedback.v1")
    headers = {"Authorization": f"Bearer {fleet.key}"}
    async with httpx2.AsyncClient(base_url=fleet.url, headers=headers, timeout=30) as client:
        ids = {}
        for path, body in MADE.items():
            ids[path] = (await client.post(path, json=body)).raise_for_status().json()["id"]
        begun = await client.post(f"/ai/ab-tests/{ids['/ai/ab-tests']}/start", json={"note": ""})
        begun.raise_for_status()

    async def is_there(path: str, least: int) -> bool:
        found = await _answers(fleet, path)
        return found is not None and len(found.json()["items"]) >= least

    lists = {"/ai/models": MODELS, "/ai/alerts": 1, "/ai/training-data": 1, "/ai/feedback": 1}
    for path, least in lists.items():
        await _until(lambda path=path, least=least: is_there(path, least), f"{path} is filled")


async def _traffic(target: Servers, prefix: str) -> None:
    """Operations on schedule, for as long as it is let."""
    producer = AIOKafkaProducer(bootstrap_servers=target.bootstrap, acks="all", linger_ms=5)
    per_tick = int(RATE * TICK_S)
    async with producer:
        started = time.perf_counter()
        for tick in count():
            for number in range(tick * per_tick, (tick + 1) * per_tick):
                key, value = _operation(PAST + number, 0)
                await producer.send(f"{prefix}operations.v1", value, key=key)
            await asyncio.sleep(max(0.0, started + (tick + 1) * TICK_S - time.perf_counter()))


def _past() -> list[Keyed]:
    day = [_operation(n, DAY_S * (1 - n / OF_DAY)) for n in range(OF_DAY)]
    return day + [_operation(OF_DAY + n, HOUR_S * (1 - n / OF_HOUR)) for n in range(OF_HOUR)]


def _operation(number: int, ago_s: float) -> Keyed:
    """One of a fleet in which one model fails often."""
    model = number % MODELS
    success = number // MODELS % (3 if model == 3 else 30) != 0
    event: dict[str, Any] = {
        "event_id": str(uuid4()),
        "tenant_id": TENANT,
        "occurred_at": (datetime.now(UTC) - timedelta(seconds=ago_s)).isoformat(),
        "operation_id": f"watched-{number:09d}",
        "model_id": f"model-{model}",
        "success": success,
        "error_type": None if success else ("timeout", "refused", "overloaded")[number % 3],
        "response_time_ms": 80 + 40 * model + number * 7919 % 10_000 / 20,
        "environment": "production",
        "operation_type": "chat",
        "user_id": f"user-{number * 31 % 997:04d}",
        "input_tokens": 100 + number % 900,
        "output_tokens": 20 + number % 300,
        "cost_usd": 0.0001 * (1 + number % 40),
        "confidence": number % 100 / 100,
        "input_text": f"What does plan {number} cost in a year? I use it at work.",
        "output_text": f"It costs {number} EUR a year, without tax.",
    }
    return str(event["operation_id"]).encode(), json.dumps(event).encode()


def _said(number: int) -> Keyed:
    """What a user says of one of the operations before."""
    event = {
        "event_id": str(uuid4()),
        "tenant_id": TENANT,
        "occurred_at": datetime.now(UTC).isoformat(),
        "operation_id": f"watched-{number * (PAST // SAID) + number % MODELS:09d}",
        "user_id": f"user-{number:04d}",
        "rating": 1 + number % 5,
        "comment": COMMENTS[number % len(COMMENTS)],
    }
    return str(event["operation_id"]).encode(), json.dumps(event).encode()


async def _answers(fleet: Fleet, path: str) -> httpx2.Response | None:
    headers = {"Authorization": f"Bearer {fleet.key}"}
    try:
        async with httpx2.AsyncClient(headers=headers, timeout=10) as client:
            found = await client.get(fleet.url + path)
    except httpx2.TransportError:
        return None
    return found if found.is_success else None


async def _until(condition: Callable[[], Awaitable[Any]], why: str) -> None:
    give_up_at = time.perf_counter() + READY_WITHIN_S
    while not await condition():
        if time.perf_counter() > give_up_at:
            raise TimeoutError(f"not within {READY_WITHIN_S:.0f} s: {why}")
        await asyncio.sleep(0.2)
