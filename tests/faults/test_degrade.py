"""One store away at a time, under load: what each endpoint answers, second by second."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import httpx2
import pytest

from shared import keys
from tests.faults.journal import Ack
from tests.faults.servers import Servers
from tests.faults.stage import Stage
from tests.support.amounts import amount
from tests.support.system import PARTITIONS
from tests.support.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.integration, pytest.mark.timeout(900)]

AWAY_FOR_S = 60 if amount() else 20
OK, ACCEPTED, AWAY = 200, 202, 503
TENANT, MODEL = "acme", "only-acme"


class Ask(NamedTuple):
    """One endpoint, and what it must answer while a store is away."""

    method: str
    path: str
    kafka: int
    postgres: int
    redis: int
    stale_without: str = ""
    """The store without which a 200 must say that it is stale."""


LOG, SAID, READY = "/ai/operations/log", "/ai/feedback/submit", "/readyz"
ASKS = (
    Ask("POST", LOG, AWAY, ACCEPTED, ACCEPTED),
    Ask("POST", SAID, AWAY, ACCEPTED, ACCEPTED),
    Ask("GET", f"/ai/metrics/{MODEL}", OK, OK, OK, "redis"),
    Ask("GET", f"/ai/metrics/{MODEL}?environment=production", OK, OK, OK, "redis"),
    Ask("GET", "/ai/models", OK, OK, OK, "redis"),
    Ask("GET", f"/ai/metrics/{MODEL}/series", OK, AWAY, OK),
    Ask("GET", "/ai/operations?limit=5", OK, AWAY, OK),
    Ask("GET", "/ai/operations/{known}", OK, AWAY, OK),
    Ask("GET", "/healthz", OK, OK, OK),
    Ask("GET", READY, AWAY, AWAY, AWAY),
    Ask("GET", "/metrics", OK, OK, OK),
)


class Answer(NamedTuple):
    """What came back, and when since the store was taken away."""

    after_s: float
    status: int
    headers: Mapping[str, str]
    content: Any


def server(servers: Servers, name: str) -> tuple[Callable[[], None], Callable[[], None]]:
    """How to take one away, and how to bring it back."""
    one: Any = getattr(servers, name)
    return one.kill, one.start


@pytest.mark.parametrize("away", ["kafka", "postgres", "redis"])
async def test_what_can_be_answered_is_and_the_rest_says_so(stage: Stage, away: str) -> None:
    take, bring = server(stage.servers, away)
    async with stage.flowing():
        known = await _stored_operation(stage)
        await stage.caught_up()
        # Until its first view is drawn, whether a model exists is for Postgres to say.
        await eventually(lambda: _has_view(stage), why="the model has a view")
        until = time.monotonic() + AWAY_FOR_S
        take()
        found = await asyncio.gather(*(_second_by_second(stage, ask, known, until) for ask in ASKS))
        await asyncio.to_thread(bring)
        await stage.caught_up()  # nobody lifts a finger
    assert [
        f"{ask.method} {ask.path} after {answer.after_s:.1f} s: {what}"
        for ask, answers in zip(ASKS, found, strict=True)
        for answer in answers
        if (what := _wrong(ask, away, answer))
    ] == []
    assert all(answers for answers in found)
    assert await stage.auditor.verdict() == []
    assert (stage.reader.leaks, stage.reader.wrong()) == ([], [])
    assert stage.ends == {}, "a service had to be started again"


async def _stored_operation(stage: Stage) -> str:
    async with _client(stage) as client:
        while (tried := await _asked(stage, client, ASKS[0], ""))[0] != TENANT:
            pass
        path, headers = f"/ai/operations/{tried[1]}", _headers(stage, TENANT)

        async def stored() -> bool:
            return (await client.get(path, headers=headers)).status_code == OK

        await eventually(stored, why="it is stored")
    return tried[1]


async def _has_view(stage: Stage) -> bool:
    share = str(keys.share_of(TENANT, MODEL, PARTITIONS))
    async with stage.auditor.redis() as client:
        drawn = await client.exists(keys.view(TENANT, MODEL))
        return bool(drawn and await client.hexists(keys.LOOKED, share))


def _wrong(ask: Ask, away: str, answer: Answer) -> str:
    due: int = getattr(ask, away)
    if answer.status != due:
        return f"{answer.status}, should be {due}"
    if due == AWAY and ask.path != READY and "retry-after" not in answer.headers:
        return "a 503 without Retry-After"
    if ask.stale_without == away and answer.content.get("stale") is not True:
        return "an answer that does not say that it is stale"
    return ""


async def _second_by_second(stage: Stage, ask: Ask, known: str, until: float) -> list[Answer]:
    found = []
    began = time.monotonic()
    async with _client(stage) as client:
        while time.monotonic() < until:
            answer = (await _asked(stage, client, ask, known))[2]
            is_json = "json" in answer.headers.get("content-type", "")
            content = answer.json() if is_json else None
            after_s = time.monotonic() - began
            found.append(Answer(after_s, answer.status_code, answer.headers, content))
            await asyncio.sleep(1)  # the pace of asking
    return found


async def _asked(stage: Stage, client: Any, ask: Ask, known: str) -> tuple[str, str, Any]:
    """Tenant, operation and answer; what is posted is written down as any other traffic is."""
    if ask.method == "GET":
        path = ask.path.format(known=known)
        return TENANT, known, await client.get(path, headers=_headers(stage, TENANT))
    made = stage.maker.operation() if ask.path == LOG else stage.maker.said()
    tenant, intent, event = made
    stage.journal.intend([intent])
    answer = await client.post(ask.path, json=event, headers=_headers(stage, tenant))
    if answer.status_code == ACCEPTED:
        stage.journal.acknowledged([Ack(intent.number)])
    return tenant, event["operation_id"], answer


def _client(stage: Stage) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=stage.one("gateway").url, timeout=15, verify=False)


def _headers(stage: Stage, tenant: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {stage.keys[tenant]}"}
