"""What a request may take of the gateway."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.responses import Response
from starlette.types import Message
from structlog.testing import capture_logs

from deploy.local.process import free_port
from services.gateway.wiring.readiness import Looking
from shared import bounded_protocol
from shared.bounded_protocol import BoundedProtocol, bounded
from shared.runtime import serve_until_told
from shared.tasks import end
from tests.support.waiting import eventually
from tests.unit.gateway.hardness.asked import asking, gateway

MUCH = 64 * 1024 * 1024
"""Bytes that no buffer on the way holds."""


def waiting(app: FastAPI) -> asyncio.Event:
    """A route that waits for an event."""
    may_go_on = asyncio.Event()

    @app.get("/waits")
    async def waits() -> dict[str, str]:
        await may_go_on.wait()
        return {"status": "done"}

    return may_go_on


async def test_an_answer_that_takes_too_long_is_given_up() -> None:
    app = gateway(gateway_within_s=0.05)
    waiting(app)
    async with asking(app) as client:
        answer = await client.get("/waits")
    assert answer.status_code == 503
    assert answer.json()["type"] == "/problems/too-slow"
    assert answer.headers["retry-after"]


async def test_only_so_many_are_under_way_at_once_and_watchers_are_never_refused() -> None:
    app = gateway(gateway_most_reads=3)
    may_go_on = waiting(app)
    async with asking(app) as client:
        begun = [asyncio.ensure_future(client.get("/waits")) for _ in range(3)]
        refused = await eventually(_refused(client), why="all places are taken")
        assert refused.json()["type"] == "/problems/overloaded"
        assert refused.headers["retry-after"]
        assert (await client.get("/healthz")).status_code == 200
        may_go_on.set()
        assert {(await one).status_code for one in begun} == {200}
        assert (await client.get("/waits")).status_code == 200


def _refused(client: httpx2.AsyncClient) -> Callable[[], object]:
    async def refused() -> httpx2.Response | None:
        answer = await client.get("/openapi.json")
        return answer if answer.status_code == 503 else None

    return refused


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        pytest.param("/" + "x" * 3_000, {}, 414, id="path"),
        pytest.param("/healthz?" + "x" * 9_000, {}, 414, id="query"),
        pytest.param("/healthz", {"X-Long": "x" * 17_000}, 431, id="one long header"),
        pytest.param("/healthz", {f"X-{n}": "x" for n in range(120)}, 431, id="many headers"),
    ],
)
async def test_a_head_has_a_bound(path: str, headers: dict[str, str], status: int) -> None:
    async with asking(gateway()) as client:
        answer = await client.get(path, headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_method_that_no_route_takes_is_told_so_whatever_its_length() -> None:
    async with asking(gateway()) as client:
        answer = await client.request("TRACE", "/healthz?" + "x" * 9_000)
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]


@asynccontextmanager
async def served(most_connections: int = 100, app: FastAPI | None = None) -> AsyncIterator[int]:
    """A gateway over TCP."""
    port = free_port()
    protocol = bounded(most_connections)
    config = uvicorn.Config(
        app or gateway(), port=port, http=protocol, lifespan="off", log_level="error"
    )
    task = asyncio.ensure_future(serve_until_told(config))
    try:
        await eventually(lambda: _answers(port), why="it serves", deadline_s=10)
        yield port
    finally:
        await end([task])


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def test_who_sends_a_head_slowly_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_protocol, "HEAD_WITHIN_S", 0.2)
    async with served() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")

        async def is_cut_off() -> bool:
            try:
                writer.write(b"X-Slow: 1\r\n")  # a byte now and then renews nothing
                await writer.drain()
            except ConnectionError:
                return True
            return reader.at_eof() or reader.exception() is not None

        await eventually(is_cut_off, why="the connection is closed", deadline_s=10)


async def test_who_sends_nothing_at_all_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_protocol, "HEAD_WITHIN_S", 0.2)
    async with served() as port:
        reader, _ = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(10):
            assert await _rest(reader) == b""


async def test_who_is_in_time_is_answered_again_and_again() -> None:
    request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    async with served() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for part in (request, request[:10], request[10:]):
            writer.write(part)
            if part.endswith(b"\r\n\r\n"):
                head = await reader.readuntil(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200")
                await reader.readuntil(b"}")
        writer.close()


async def test_more_connections_than_there_may_be_are_closed_unheard() -> None:
    async with served(most_connections=2) as port:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        reader, _ = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(10):
            assert await _rest(reader) == b""
        for _, writer in held:
            writer.close()


async def test_who_does_not_read_an_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    given_up: list[bool] = []
    give_up = BoundedProtocol._give_up_reader

    def seen(protocol: BoundedProtocol) -> None:
        give_up(protocol)
        given_up.append(True)

    monkeypatch.setattr(bounded_protocol, "TAKEN_WITHIN_S", 0.2)
    monkeypatch.setattr(BoundedProtocol, "_give_up_reader", seen)
    app = gateway()

    @app.get("/much")
    async def much() -> Response:
        return Response(b"x" * MUCH)

    async with served(app=app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /much HTTP/1.1\r\nHost: x\r\n\r\n")
        await eventually(lambda: given_up, why="the server has waited long enough")
        async with asyncio.timeout(10):
            assert len(await _rest(reader)) < MUCH


async def _rest(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionError:
        return b""


CHUNKED = b"POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("path", [b"/auth/session", b"/nowhere"])
async def test_a_body_in_a_million_tiny_chunks_is_not_taken(path: bytes) -> None:
    """Also not when the answer was there before it."""
    async with served() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(CHUNKED % path)
        ended = asyncio.ensure_future(_rest(reader))
        sent = 0
        with suppress(ConnectionError):
            while not ended.done() and sent < 1_000_000:
                writer.write(b"1\r\n \r\n" * 1_000)
                sent += 1_000
                await writer.drain()
        async with asyncio.timeout(10):
            answer = await ended
        assert sent < 1_000_000
        # What was answered may be lost with the connection.
        assert not answer or answer.split()[1] in {b"400", b"404"}


async def test_a_body_in_chunks_of_some_size_is_taken() -> None:
    async with served() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(CHUNKED % b"/auth/session")
        writer.write((b"40\r\n" + b" " * 64 + b"\r\n") * 5_000 + b"0\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 4")
        assert b"problem+json" in head
        writer.close()


async def test_who_leaves_in_the_middle_of_a_body_is_no_failure_of_ours() -> None:
    messages = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.disconnect"},
    ]
    headers = [(b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/ai/silences", "headers": headers}
    scope |= {"query_string": b"", "http_version": "1.1", "scheme": "http", "server": ("x", 80)}

    async def receive() -> Message:
        return messages.pop(0)

    async def send(_: Message) -> None:
        pytest.fail("nobody is there to be answered")

    with capture_logs() as said:
        await gateway()(scope, receive, send)
    assert [one for one in said if one["log_level"] == "error"] == []


async def test_many_who_ask_whether_it_is_ready_cost_one_look() -> None:
    looks, may_go_on = list[str](), asyncio.Event()

    async def check() -> None:
        looks.append("")
        await may_go_on.wait()

    looking = Looking({"postgres": check})
    asking_all = [asyncio.ensure_future(looking()) for _ in range(50)]
    await eventually(lambda: looks, why="somebody looks")
    asking_all[0].cancel()  # who leaves takes nobody's answer along
    may_go_on.set()
    assert await asyncio.gather(*asking_all[1:]) == [{"postgres": "ok"}] * 49
    assert len(looks) == 1
    assert await looking() == {"postgres": "ok"}
    assert len(looks) == 2
