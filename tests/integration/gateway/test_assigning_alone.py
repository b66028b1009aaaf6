"""A gateway goes on assigning while Postgres is away, and one that never knew says so."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from deploy.jobs.keys import create_key
from services.gateway.app import create_app
from services.gateway.settings import GatewaySettings
from tests.integration.gateway.conftest import NOWHERE
from tests.support.experiments import body
from tests.support.stores import PostgresHere
from tests.support.system import AUDIT, SECRET, prepared
from tests.support.waiting import eventually

ALL = "/ai/ab-tests"
UNITS = [f"user-{number}" for number in range(50)]


@pytest.fixture
async def postgres(tmp_path: Path) -> AsyncIterator[PostgresHere]:
    """A server that may be stopped."""
    server = PostgresHere(tmp_path)
    await in_thread(server.start)
    yield server
    await in_thread(server.discard)


async def in_thread(do: Any) -> None:
    """`start` runs a loop of its own."""
    await asyncio.to_thread(do)


async def placed(client: httpx2.AsyncClient, test: str, unit: str) -> Any:
    path = f"{ALL}/{test}/assignment"
    return (await client.get(path, params={"user_id": unit, "expose": "false"})).json()


async def test_units_keep_their_variants_while_postgres_is_away(
    postgres: PostgresHere, redis_url: str
) -> None:
    dsns = await prepared(postgres.dsn)
    key = (
        await create_key(postgres.dsn, tenant="acme", role="admin", name="test", audit=AUDIT)
    ).key
    settings = GatewaySettings(
        kafka_bootstrap_servers=NOWHERE,
        redis_url=redis_url,
        postgres_dsn=dsns["gateway"],
        secret_key=SECRET,
    )
    app = create_app(settings)
    transport = httpx2.ASGITransport(app=app)
    bearer = {"Authorization": f"Bearer {key}"}
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://g", headers=bearer) as client,
    ):
        test = (await client.post(ALL, json=body())).json()["id"]
        assert (await client.post(f"{ALL}/{test}/start")).status_code == 200
        before = [await placed(client, test, unit) for unit in UNITS]
        assert {one["variant"] for one in before} == {"a", "b"}
        await in_thread(postgres.stop)

        async def away() -> bool:
            return (await client.get(f"{ALL}/{test}")).status_code == 503

        await eventually(away, why="the gateway notices")
        assert [await placed(client, test, unit) for unit in UNITS] == before
        context = {"context": {"targetingKey": UNITS[0]}}
        flag = await client.post("/ofrep/v1/evaluate/flags/checkout-model", json=context)
        assert flag.json()["variant"] == before[0]["variant"]
        assert (
            len((await client.post("/ofrep/v1/evaluate/flags", json=context)).json()["flags"]) == 1
        )
        unknown = await client.get(f"{ALL}/{uuid4()}/assignment", params={"user_id": "u"})
        assert (unknown.status_code, unknown.headers["retry-after"]) == (503, "5")
        elsewhere = await client.post("/ofrep/v1/evaluate/flags/made-elsewhere", json=context)
        assert (elsewhere.status_code, elsewhere.headers["retry-after"]) == (503, "5")
        stop = await client.post(f"{ALL}/{test}/stop")
        assert (stop.status_code, stop.headers["retry-after"]) == (503, "5")
        await in_thread(postgres.start)

        async def back() -> bool:
            return (await client.post(f"{ALL}/{test}/stop")).status_code == 200

        await eventually(back, why="the gateway goes on by itself")
        assert (await placed(client, test, UNITS[0]))["reason"] == "stopped"
        unknown = await client.get(f"{ALL}/{uuid4()}/assignment", params={"user_id": "u"})
        assert unknown.status_code == 404


async def test_a_gateway_that_never_knew_the_tests_says_when_to_come_back(redis_url: str) -> None:
    settings = GatewaySettings(
        kafka_bootstrap_servers=NOWHERE,
        redis_url=redis_url,
        postgres_dsn=f"postgresql://nobody:x@{NOWHERE}/none",
        secret_key=SECRET,
    )
    app = create_app(settings)
    known = app.state.assigning
    async with app.router.lifespan_context(app):
        with pytest.raises(Exception, match="postgres does not answer"):
            await known.flags("acme", {"targetingKey": "user-1"})
