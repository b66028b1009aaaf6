"""No tenant, and nobody without a key, holds all places of the others by going slowly."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest

from services.gateway.domain.api_keys import Principal
from services.gateway.domain.permissions import ADMIN
from tests.support.waiting import eventually
from tests.unit.gateway.hardness.asked import asking, gateway

MOST = 4
QUESTION = "/ai/operations?limit=0"
"""Answered (422) without any store."""
JSON = {"Content-Type": "application/json"}


class ByName:
    """Takes everyone for an admin of the tenant that they name."""

    async def principal(self, name: str | None) -> Principal:
        return Principal(str(name), "key", ADMIN)


@pytest.mark.parametrize(
    ("path", "slow", "asked_again"),
    [
        pytest.param("/ai/silences", "slow", QUESTION, id="a tenant"),
        pytest.param("/auth/session", "", "/auth/session", id="nobody"),
    ],
)
async def test_slow_bodies_leave_places_to_others(path: str, slow: str, asked_again: str) -> None:
    app = gateway(gateway_most_reads=MOST)
    app.state.admission = ByName()
    may_end, begun_bodies = asyncio.Event(), list[str]()

    async def body() -> AsyncIterator[bytes]:
        begun_bodies.append(slow)
        yield b"{"
        await may_end.wait()
        yield b"]"

    async with asking(app) as client:

        async def asked_by(who: str) -> httpx2.Response:
            method = "POST" if asked_again == path and who == slow else "GET"
            target = asked_again if who == slow else QUESTION
            return await client.request(
                method, target, headers=JSON | {"Authorization": who}, content=b"{"
            )

        headers = JSON | {"Authorization": slow}
        begun = [
            asyncio.ensure_future(client.post(path, headers=headers, content=body()))
            for _ in range(MOST - 1)
        ]
        await eventually(lambda: len(begun_bodies) == MOST - 1, why="the share is used up")
        refused = await asked_by(slow)
        assert refused.json()["type"] == "/problems/overloaded"
        assert refused.headers["retry-after"]
        assert (await asked_by("other")).status_code == 422
        may_end.set()
        assert {(await one).status_code for one in begun} == {400}
        assert (await asked_by(slow)).status_code in {400, 422}
