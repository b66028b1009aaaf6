"""Gateway and all consuming services in this process, and clients that speak to them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx2
import pytest
from redis.asyncio import Redis

from deploy.jobs.keys import create_key
from deploy.jobs.roles import give_passwords
from deploy.local.process import free_port
from services.abtest.app import run as run_abtest
from services.abtest.settings import AbtestSettings
from services.feedback.app import run as run_feedback
from services.feedback.settings import FeedbackSettings
from services.gateway.app import create_app
from services.gateway.app import run as run_gateway
from services.gateway.settings import GatewaySettings
from services.ingest.app import run as run_ingest
from services.ingest.settings import IngestSettings
from services.metrics.app import run as run_metrics
from services.metrics.settings import MetricsSettings
from services.notify.app import run as run_notify
from services.notify.settings import NotifySettings
from tests.integration.gateway.callers import Alone, Clients, Served
from tests.support.system import AUDIT, PASSWORD, SECRET, prepared, querying, running, topics
from tests.support.waiting import eventually

NOWHERE = "127.0.0.1:1"


@pytest.fixture(scope="module")
async def clients(
    kafka_bootstrap: str, topic_prefix: str, database_dsn: str, redis_url: str
) -> AsyncIterator[Clients]:
    """All services, and clients that speak to them."""
    dsns = await prepared(database_dsn)
    await topics(kafka_bootstrap, topic_prefix)
    common: dict[str, Any] = {
        "kafka_bootstrap_servers": kafka_bootstrap,
        "topic_prefix": topic_prefix,
        "redis_url": redis_url,
    }
    port = free_port()
    gateway = GatewaySettings(
        **common, postgres_dsn=dsns["gateway"], secret_key=SECRET, gateway_port=port
    )
    keys = await _keys(database_dsn)
    async with (
        running(
            run_ingest(IngestSettings(**common, postgres_dsn=dsns["ingest"], secret_key=SECRET))
        ),
        running(run_metrics(MetricsSettings(**common, postgres_dsn=dsns["metrics"]))),
        running(run_notify(NotifySettings(**common, postgres_dsn=dsns["notify"]))),
        running(
            run_abtest(AbtestSettings(**common, postgres_dsn=dsns["abtest"], secret_key=SECRET))
        ),
        running(
            run_feedback(
                FeedbackSettings(**common, postgres_dsn=dsns["feedback"], secret_key=SECRET)
            )
        ),
        running(run_gateway(gateway)),
    ):
        url = f"http://127.0.0.1:{port}"
        made = [
            httpx2.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60)
            for key in keys
        ]
        made.append(httpx2.AsyncClient(base_url=url, timeout=60))

        async def ready() -> bool:
            try:
                return (await made[-1].get("/readyz")).status_code == 200
            except httpx2.TransportError:
                return False

        await eventually(ready, why="the gateway is ready")
        yield Clients(*made)
        for client in made:
            await client.aclose()


@pytest.fixture(scope="module")
async def alone(database_dsn: str, redis_url: str) -> AsyncIterator[Alone]:
    """A gateway in this process, without a broker and without the services that fill its stores."""
    dsns = await prepared(database_dsn)
    keys = await _keys(database_dsn)
    async with AsyncExitStack() as stack:

        async def called(redis: str, key: str) -> httpx2.AsyncClient:
            settings = GatewaySettings(
                kafka_bootstrap_servers=NOWHERE,
                redis_url=redis,
                postgres_dsn=dsns["gateway"],
                secret_key=SECRET,
            )
            app = create_app(settings)
            await stack.enter_async_context(app.router.lifespan_context(app))
            return await stack.enter_async_context(
                httpx2.AsyncClient(
                    transport=httpx2.ASGITransport(app=app),
                    base_url="http://gateway",
                    headers={"Authorization": f"Bearer {key}"},
                )
            )

        admin, agent, viewer, stranger = [await called(redis_url, key) for key in keys]
        yield Alone(
            admin,
            agent,
            viewer,
            stranger,
            without_redis=await called(f"redis://{NOWHERE}", keys[0]),
            rows=await stack.enter_async_context(querying(database_dsn)),
            redis=await stack.enter_async_context(Redis.from_url(redis_url)),
        )


@pytest.fixture(scope="module")
async def served(database_dsn: str, redis_url: str, alone: Alone) -> AsyncIterator[Served]:
    """The same without a broker, over TCP: what its readers' leaving or a broken store does."""
    del alone  # it has prepared the database
    (key, *_), port = await _keys(database_dsn), free_port()
    dsns = await give_passwords(database_dsn, {"gateway": PASSWORD}, AUDIT)
    settings = GatewaySettings(
        kafka_bootstrap_servers=NOWHERE,
        redis_url=redis_url,
        postgres_dsn=dsns["gateway"],
        secret_key=SECRET,
        gateway_port=port,
        gateway_most_exports=1,
    )
    headers = {"Authorization": f"Bearer {key}"}
    url = f"http://127.0.0.1:{port}"
    async with (
        running(run_gateway(settings)),
        httpx2.AsyncClient(base_url=url, headers=headers, timeout=60) as client,
    ):

        async def answers() -> bool:
            try:
                return (await client.get("/healthz")).is_success
            except httpx2.TransportError:
                return False

        await eventually(answers, why="the gateway answers")
        yield Served(client, port, key)


async def _keys(dsn: str) -> list[str]:
    """Of an admin, an agent and a viewer, and of another tenant's admin."""
    return [
        (await create_key(dsn, tenant=tenant, role=role, name="test", audit=AUDIT)).key
        for tenant, role in (
            ("acme", "admin"),
            ("acme", "agent"),
            ("acme", "viewer"),
            ("globex", "admin"),
        )
    ]
