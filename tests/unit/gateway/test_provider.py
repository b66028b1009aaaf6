"""A provider that is slow, away or wrong holds up nobody for long and is not asked by each."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest

from services.gateway.domain.problems import AwayError
from services.gateway.store import provider
from services.gateway.store.provider import AWAY_EVERY_S, FRESH_S, Provider

ISSUER = "https://p.example"
DOCUMENT = {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys", "authorization_endpoint": f"{ISSUER}/a"}


class Drip(httpx2.AsyncByteStream):
    """Begins and never ends."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()


class World:
    """A provider without a network, and a clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.asked, self.away = 1000.0, 0, False
        self.document = dict(DOCUMENT)
        monkeypatch.setattr(provider.clock, "monotonic", lambda: self.now)
        transport = httpx2.MockTransport(self._answer)
        self.client = httpx2.AsyncClient(transport=transport)
        self.provider = Provider(ISSUER, None, self.client)

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.asked += 1
        await asyncio.sleep(0)  # others come meanwhile
        if request.url.path == "/keys":
            return httpx2.Response(200, stream=Drip())
        if self.away:
            return httpx2.Response(503)
        return httpx2.Response(200, json=self.document)


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    found = World(monkeypatch)
    yield found
    await found.provider.close()


async def test_an_answer_that_never_ends_is_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider, "TIMEOUT_S", 0.01)
    with pytest.raises(AwayError):
        await asyncio.wait_for(world.provider.keys(), 30)


async def test_many_who_want_in_at_once_ask_a_provider_that_is_away_once(world: World) -> None:
    world.away = True
    for _ in range(3):
        wanted = (world.provider.door("authorization_endpoint") for _ in range(20))
        answers = await asyncio.gather(*wanted, return_exceptions=True)
        assert all(isinstance(one, AwayError) for one in answers)
    assert world.asked == 1
    world.away = False
    world.now += AWAY_EVERY_S
    assert await world.provider.door("authorization_endpoint") == f"{ISSUER}/a"


async def test_a_door_that_was_moved_is_found_and_known_ones_stay_while_it_is_away(
    world: World,
) -> None:
    await world.provider.door("authorization_endpoint")
    world.document["authorization_endpoint"] = f"{ISSUER}/b"
    world.away = True
    world.now += FRESH_S
    assert await world.provider.door("authorization_endpoint") == f"{ISSUER}/a"
    world.away = False
    world.now += AWAY_EVERY_S
    assert await world.provider.door("authorization_endpoint") == f"{ISSUER}/b"
    assert world.asked == 3


async def test_another_issuers_document_is_none(world: World) -> None:
    world.document["issuer"] = "https://evil.example"
    with pytest.raises(AwayError, match="another issuer"):
        await world.provider.metadata()
