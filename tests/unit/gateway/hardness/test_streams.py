"""A stream over TCP, read by somebody who is not ours, from stores that are played."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest
from fastapi import FastAPI

from services.gateway.domain.stream import StreamBounds
from services.gateway.routes import stream as routes
from services.gateway.service.streams import Streams
from shared import bounded_protocol
from tests.integration.gateway.heard import STREAM, listening
from tests.support.waiting import eventually
from tests.unit.gateway.hardness.asked import Anybody, gateway
from tests.unit.gateway.hardness.test_bounds import served
from tests.unit.gateway.test_stream import Stores, alert, line


def app_of(stores: Stores, lasts_s: float = 60, **settings: object) -> FastAPI:
    app = gateway(**settings)
    app.state.streams = Streams(stores, stores, StreamBounds(5, 3, lasts_s), every_s=0.01)
    return app


@asynccontextmanager
async def reached(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    async with served(app=app) as port:
        headers = {"Authorization": "Bearer anybody"}
        url = f"http://127.0.0.1:{port}"
        async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=30) as client:
            yield client


async def test_state_first_then_changes_whole_and_in_order() -> None:
    stores = Stores()
    stores.lines, stores.alerts = {"m": dict(line().body)}, [alert("a", 1)]
    async with reached(app_of(stores)) as client, listening(client) as ear:
        await ear.hears("ready")
        assert sorted(ear.names()) == ["alert", "metrics", "ready"]
        stores.alerts = [alert("a", 2, "resolved")]
        assert (await ear.hears("alert", lambda one: one["version"] == 2))["state"] == "resolved"


async def test_it_takes_no_place_and_outlives_what_others_may_take() -> None:
    app = app_of(Stores(), gateway_within_s=0.2, gateway_most_reads=1)
    async with reached(app) as client, listening(client) as ear:
        await ear.hears("ready")
        assert (await client.get("/openapi.json")).status_code == 200
        gone_by = asyncio.get_running_loop().time() + 0.5
        await eventually(lambda: asyncio.get_running_loop().time() > gone_by, why="time goes by")
        assert ear.names() == ["ready"]


async def test_it_ends_in_order_when_its_time_is_over() -> None:
    async with reached(app_of(Stores(), lasts_s=0.1)) as client, listening(client) as ear:
        assert await ear.hears("end") == {"reason": "time"}


async def test_it_ends_when_the_credential_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "ASKED_AGAIN_EVERY_S", 0.05)
    app = app_of(Stores())
    async with reached(app) as client, listening(client) as ear:
        await ear.hears("ready")
        app.state.admission = Nobody()
        assert await ear.hears("end") == {"reason": "credential"}


class Nobody(Anybody):
    """Knows the tenant and permits less than before."""

    async def principal(self, given: str | None) -> object:  # type: ignore[override]
        return (await super().principal(given))._replace(permissions=frozenset({"metrics:read"}))


async def test_it_says_now_and_then_that_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "HEARTBEAT_S", 0.05)
    async with (
        reached(app_of(Stores())) as client,
        client.stream("GET", STREAM) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        said = ""
        async for text in answer.aiter_text():
            said += text
            if said.count(": ping") == 2:
                break
        assert said.startswith("retry: 3000\n\nevent: ready\n")


async def test_who_does_not_read_is_dropped_and_nothing_grows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bounded_protocol, "TAKEN_WITHIN_S", 0.3)
    stores = Stores()
    app = app_of(stores)
    async with served(app=app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            f"GET {STREAM} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\n\r\n".encode()
        )
        await reader.readuntil(b"event: ready")
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        [feed] = app.state.streams._feeds.values()
        [listener] = feed.listeners
        number = 0

        async def dropped() -> bool:
            nonlocal number
            number += 1
            stores.lines = {"m": dict(line(said="x" * 1_000_000, sample=number).body)}
            assert len(listener._pending) <= 1
            return not feed.listeners

        await eventually(dropped, why="the reader was given up", deadline_s=20, every_s=0.02)
        assert app.state.streams._feeds == {}
        writer.transport.abort()
