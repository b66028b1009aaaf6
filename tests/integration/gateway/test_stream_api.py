"""Streams of changes, from real stores to a reader of server-sent events that is not ours."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis

from services.gateway.routes import stream as routes
from services.gateway.service import remembered
from shared import keys
from tests.integration.gateway.heard import STREAM, World, gateway, listening, through
from tests.support.experiments import body
from tests.support.relay import relayed
from tests.support.system import prepared, querying
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
async def world(database_dsn: str, redis_url: str) -> AsyncIterator[World]:
    dsns = await prepared(database_dsn)
    async with querying(database_dsn) as rows, Redis.from_url(redis_url) as redis:
        yield World(database_dsn, dsns["gateway"], redis_url, rows, redis)


@pytest.fixture(autouse=True)
async def _empty(world: World) -> None:
    for table in ("performance_alerts", "ab_results", "ab_test_steps", "ab_tests"):
        await world.rows(f"DELETE FROM {table}")
    await world.redis.delete(*(keys.models(tenant) for tenant in ("acme", "globex")))


async def started(admin: Any, key: str) -> str:
    """A test that runs."""
    made = await admin.post("/ai/ab-tests", json=body(key=key))
    assert made.status_code == 201, made.text
    answer = await admin.post(f"/ai/ab-tests/{made.json()['id']}/start", json={})
    assert answer.status_code == 200, answer.text
    return str(made.json()["id"])


async def test_first_comes_all_that_holds_then_each_change_and_nothing_of_others(
    world: World,
) -> None:
    async with gateway(world) as called:
        admin, stranger = called(await world.key()), called(await world.key("globex"))
        await world.model("m-1")
        alert, over = await world.alert("m-1"), await world.alert("m-1")
        await world.step(over, "resolved")
        test_id = await started(admin, "mine")
        async with listening(admin) as ear, listening(stranger) as other:
            await ear.hears("ready")
            assert sorted(ear.names()) == ["alert", "metrics", "ready", "verdict"]
            listed = (await admin.get("/ai/models")).json()["items"]
            assert [one.data for one in ear.events if one.name == "metrics"] == listed
            alerts = (await admin.get("/ai/alerts?state=firing")).json()["items"]
            assert [one.data for one in ear.events if one.name == "alert"] == alerts
            verdict = await ear.hears("verdict")
            assert (verdict["test_id"], verdict["verdict"]) == (test_id, "COLLECTING")

            await world.model("m-1", sample=2)
            await world.step(alert, "resolved")
            await world.result("acme", test_id, "SHIP", "Ship b.")
            later = await world.alert("m-2")
            await ear.hears("metrics", lambda one: one["sample"] == 2)
            await ear.hears("alert", lambda one: one["state"] == "resolved")
            await ear.hears("alert", lambda one: one["id"] == str(later))
            shipped = await ear.hears("verdict", lambda one: one["verdict"] == "SHIP")
            assert (shipped["winner"], shipped["recommendation"]) == ("b", "Ship b.")
            assert len(ear.events) == 8, ear.events

            await world.model("theirs", "globex")
            await other.hears("metrics", lambda one: one["model_id"] == "theirs")
            assert other.names() == ["ready", "metrics"]
            await world.redis.hdel(keys.models("acme"), "m-1")
            assert await ear.hears("gone") == {"kind": "metrics", "id": "m-1"}
            assert "theirs" not in str(ear.events)


async def test_who_comes_back_finds_what_happened_meanwhile(world: World) -> None:
    async with gateway(world) as called:
        client = called(await world.key())
        await world.model("m")
        async with listening(client) as ear:
            await ear.hears("ready")
        await world.model("m", sample=7)
        await world.alert("m")
        async with listening(client) as ear:
            await ear.hears("ready")
            assert (await ear.hears("metrics"))["sample"] == 7
            assert ear.names().count("alert") == 1


async def test_only_what_is_asked_for_and_permitted_is_heard(world: World) -> None:
    async with gateway(world) as called:
        admin = called(await world.key())
        sent = {"name": "narrow", "permissions": ["metrics:read"]}
        narrow = called((await admin.post("/ai/api-keys", json=sent)).json()["key"])
        agent = called(await world.key(role="agent"))
        for name in ("m-1", "other"):
            await world.model(name)
            await world.alert(name)
        await started(admin, "mine")
        async with (
            listening(narrow) as ear,
            listening(admin, kinds="alerts", model_id="m-1") as one,
        ):
            assert (await ear.hears("ready"))["kinds"] == ["metrics"]
            assert ear.names() == ["metrics", "metrics", "ready"]
            await one.hears("ready")
            assert one.names() == ["alert", "ready"]
        async with listening(admin, model_id="m-2") as ear:
            await ear.hears("ready")
            assert ear.names() == ["verdict", "ready"], "a test is of each of its models"
        assert (await narrow.get(f"{STREAM}?kinds=alerts")).status_code == 403
        assert (await agent.get(STREAM)).status_code == 403
        wrong = await admin.get(f"{STREAM}?kinds=metrics,all")
        assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/kinds")
        assert (await admin.get(f"{STREAM}?kind=metrics")).status_code == 422


async def test_a_key_that_is_revoked_ends_its_stream(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "ASKED_AGAIN_EVERY_S", 0.1)
    monkeypatch.setattr(remembered, "FRESH_S", 0.1)
    async with gateway(world) as called:
        revoked, stays = called(await world.key(name="revoked")), called(await world.key())
        async with listening(revoked) as ear, listening(stays) as other:
            await ear.hears("ready")
            await other.hears("ready")
            await world.rows("UPDATE api_keys SET revoked_at = now() WHERE name = 'revoked'")
            assert await ear.hears("end") == {"reason": "credential"}
            assert "end" not in other.names()
        assert (await revoked.get(STREAM)).status_code == 401


async def test_stores_may_leave_and_come_back(world: World) -> None:
    ports = {name: urlsplit(getattr(world, name)).port for name in ("redis_url", "gateway_dsn")}
    async with relayed(ports["redis_url"] or 0) as redis, relayed(ports["gateway_dsn"] or 0) as pg:
        changes = {
            "redis_url": through(world.redis_url, redis.port),
            "postgres_dsn": through(world.gateway_dsn, pg.port),
        }
        async with gateway(world, **changes) as called:
            client = called(await world.key())
            await world.model("m")
            async with listening(client) as ear:
                await ear.hears("ready")
                for relay, store in ((redis, "redis"), (pg, "postgres")):
                    relay.cut()
                    await ear.hears("away", lambda one, store=store: store in one["stores"])
                    await world.model("m", sample=f"while {store} was away")
                    alert = str(await world.alert("m"))
                    relay.heal()
                    await ear.hears("alert", lambda one, alert=alert: one["id"] == alert)
                    await ear.hears("metrics", lambda one, store=store: store in str(one["sample"]))
                await eventually(lambda: ear.away() == [], why="all are back")
                assert "end" not in ear.names()
                redis.cut()
                await eventually(lambda: ear.away() == ["redis"], why="it is away again")
                refused = await client.get(f"{STREAM}?kinds=metrics")
                assert (refused.status_code, "retry-after" in refused.headers) == (503, True)


async def test_there_are_only_so_many_and_places_come_free(world: World) -> None:
    bounds = {"gateway_most_streams": 3, "gateway_most_streams_of_tenant": 2}
    async with gateway(world, **bounds) as called:
        mine, theirs = called(await world.key()), called(await world.key("globex"))
        async with AsyncExitStack() as stack:
            for client in (mine, mine, theirs):
                ear = await stack.enter_async_context(listening(client))
                await ear.hears("ready")
            for client, status in ((mine, 429), (theirs, 503)):
                refused = await client.get(STREAM)
                assert (refused.status_code, "retry-after" in refused.headers) == (status, True)

        async def is_free() -> bool:
            async with listening(mine) as again:
                return bool(await again.hears("ready"))

        await eventually(is_free, why="a place is free again")


async def test_a_stream_outlives_other_answers_and_takes_no_place_among_them(world: World) -> None:
    bounds = {"gateway_within_s": 1, "gateway_most_reads": 1, "gateway_stream_most_s": 4}
    async with gateway(world, **bounds) as called:
        client = called(await world.key())
        async with listening(client) as ear:
            await ear.hears("ready")
            for _ in range(3):
                assert (await client.get("/ai/models")).status_code == 200
            assert await ear.hears("end") == {"reason": "time"}


async def test_a_gateway_that_stops_waits_for_no_stream(world: World) -> None:
    ends: list[Any] = []

    async def listen(client: Any) -> None:
        async with listening(client) as ear:
            ends.append(await ear.hears("ready"))
            ends.append(await ear.hears("end"))

    async with gateway(world) as called:
        task = asyncio.ensure_future(listen(called(await world.key())))
        await eventually(lambda: ends, why="it listens")
    await task
    assert ends[1] == {"reason": "shutdown"}
