"""Gateways over TCP whose streams are listened to, with an SSE reader that knows nothing of us."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID, uuid4

import httpx2
from redis.asyncio import Redis

from deploy.jobs.keys import create_key
from deploy.local.process import free_port
from services.gateway.app import run as run_gateway
from services.gateway.settings import GatewaySettings
from shared import keys
from shared.tasks import end
from tests.support.system import AUDIT, SECRET, Rows, running
from tests.support.waiting import eventually

STREAM = "/ai/stream"
LINE = {
    "status": "good",
    "reasons": [],
    "sample": 1,
    "success_rate": {"value": 1.0, "low": 0.5, "high": 1.0},
    "response_time_ms": dict.fromkeys(
        ("mean", "geometric_mean", "low", "high", "p50", "p95", "p99")
    ),
}


class Heard(NamedTuple):
    """One event."""

    name: str
    data: Any


@dataclass
class Ear:
    """All that one listener has heard."""

    events: list[Heard] = field(default_factory=list)

    def names(self) -> list[str]:
        return [one.name for one in self.events]

    def away(self) -> list[str]:
        """Which stores do not answer, as it was told last."""
        told = [one.data["stores"] for one in self.events if one.name == "away"]
        return [str(one) for one in told[-1]] if told else []

    async def hears(self, name: str, fits: Callable[[Any], bool] = lambda _: True) -> Any:
        """The first event of that name that fits, once it has come."""

        def found() -> list[Any]:
            return [one.data for one in self.events if one.name == name and fits(one.data)]

        return (await eventually(found, why=f"{name} is heard"))[0]


@asynccontextmanager
async def listening(client: httpx2.AsyncClient, **params: str) -> AsyncIterator[Ear]:
    """Listen until the stream or the block ends."""
    ear = Ear()

    async def listen() -> None:
        async with client.sse(STREAM, params=params) as source:
            async for event in source:
                if event.data:
                    ear.events.append(Heard(event.event, event.json()))

    task = asyncio.ensure_future(listen())
    try:
        yield ear
        if task.done():
            task.result()
    finally:
        await end([task])


@dataclass
class World:
    """Stores, and who fills them."""

    dsn: str
    gateway_dsn: str
    redis_url: str
    rows: Rows
    redis: Redis

    async def key(self, tenant: str = "acme", role: str = "admin", name: str = "test") -> str:
        made = await create_key(self.dsn, tenant=tenant, role=role, name=name, audit=AUDIT)
        return made.key

    async def model(self, name: str, tenant: str = "acme", **said: Any) -> None:
        line = json.dumps(LINE | {"model_id": name} | said)
        await self.redis.hset(keys.models(tenant), name, line)

    async def alert(self, model: str, tenant: str = "acme") -> UUID:
        identity = uuid4()
        await self.rows(
            """
            INSERT INTO performance_alerts (tenant_id, alert_id, rule_id, rule_name, model_id,
                labels, state, severity, sample, observed_over, reason, step, stepped_at,
                started_at, fired_at)
            VALUES ($1, $2, $3, 'slow', $4, '{}', 'firing', 'warning', 100, '1h', 'It is.', 1,
                    now(), now(), now())
            """,
            *(tenant, identity, uuid4(), model),
        )
        return identity

    async def step(self, alert: UUID, state: str) -> None:
        await self.rows(
            "UPDATE performance_alerts SET state = $2, step = step + 1, stepped_at = now()"
            " WHERE alert_id = $1",
            *(alert, state),
        )

    async def result(self, tenant: str, test_id: str, verdict: str, said: str) -> None:
        body = {"winner": "b", "recommendation": said, "days_left": 1.5}
        await self.rows(
            """
            INSERT INTO ab_results (tenant_id, test_id, as_of, verdict, body, memory, computed_at)
            VALUES ($1, $2, now(), $3, $4, '{}', clock_timestamp())
            ON CONFLICT (tenant_id, test_id) DO UPDATE SET verdict = excluded.verdict,
                body = excluded.body, computed_at = excluded.computed_at, as_of = excluded.as_of
            """,
            *(tenant, UUID(test_id), verdict, json.dumps(body)),
        )


def through(url: str, port: int) -> str:
    """The same address by another port."""
    parts = urlsplit(url)
    credentials, at, host = parts.netloc.rpartition("@")
    del host
    return urlunsplit(parts._replace(netloc=f"{credentials}{at}127.0.0.1:{port}"))


@asynccontextmanager
async def gateway(world: World, **changes: Any) -> AsyncIterator[Callable[[str], Any]]:
    """A gateway; answers how a holder of a key calls it."""
    port = free_port()
    given = {"redis_url": world.redis_url, "postgres_dsn": world.gateway_dsn} | changes
    settings = GatewaySettings(
        kafka_bootstrap_servers="127.0.0.1:1", secret_key=SECRET, gateway_port=port, **given
    )
    url, clients = f"http://127.0.0.1:{port}", list[httpx2.AsyncClient]()

    def called(key: str) -> httpx2.AsyncClient:
        headers = {"Authorization": f"Bearer {key}"}
        clients.append(httpx2.AsyncClient(base_url=url, headers=headers, timeout=60))
        return clients[-1]

    async def answers() -> bool:
        try:
            async with httpx2.AsyncClient(base_url=url) as client:
                return (await client.get("/healthz")).is_success
        except httpx2.TransportError:
            return False

    try:
        async with running(run_gateway(settings)):
            await eventually(answers, why="the gateway answers")
            yield called
    finally:
        for client in clients:
            await client.aclose()
