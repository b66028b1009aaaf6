"""What stands around every page."""

import re
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from fastapi import FastAPI

from services.gateway.domain.api_keys import Principal
from services.gateway.domain.dashboard.navigation import ENTRIES, allowed, first_page
from services.gateway.domain.permissions import ADMIN, ROLES
from services.gateway.domain.problems import Problem
from services.gateway.routes.dashboard.showing import POLICY
from tests.unit.gateway.hardness.asked import asking, gateway

BROWSER = {"Accept": "text/html,application/xhtml+xml"}
HOSTILE = "<script>alert(1)</script>\"'&"


class Models:
    """A service that knows one model."""

    def __init__(self, model_id: str) -> None:
        self.model_id = model_id

    async def models(self, _: str) -> tuple[list[dict[str, Any]], bool]:
        nothing = {"value": None, "low": None, "high": None}
        times = dict.fromkeys(("mean", "geometric_mean", "low", "high", "p50", "p95", "p99"))
        said = {"model_id": self.model_id, "status": "unknown", "reasons": [self.model_id]}
        return [said | {"sample": 0, "success_rate": nothing, "response_time_ms": times}], False


class Nobody:
    """Takes everyone for nobody."""

    async def principal(self, _: str | None) -> Principal:
        raise Problem("unauthenticated", "Nobody.")


class Reader:
    """Takes everyone for somebody of a role."""

    def __init__(self, role: str) -> None:
        self.role = role

    async def principal(self, _: str | None) -> Principal:
        return Principal("acme", "key", ROLES[self.role])


@cache
def standing() -> tuple[FastAPI, Any, Any]:
    """A gateway for all tests here, and how it was made."""
    app = gateway()
    return app, app.state.admission, app.state.reading


async def shown(path: str, admission: Any = None, reading: Any = None) -> httpx2.Response:
    app, anybody, real = standing()
    app.state.admission, app.state.reading = admission or anybody, reading or real
    async with asking(app) as client:
        return await client.get(path, headers=BROWSER)


def links(text: str) -> set[str]:
    [nav] = re.findall(r"<nav.*?</nav>", text, re.DOTALL)
    return set(re.findall(r'href="([^"]+)"', nav))


async def test_who_has_no_session_is_asked_to_log_in() -> None:
    for path, status in (("/", 200), ("/fleet", 401)):
        answer = await shown(path, Nobody())
        assert answer.status_code == status
        assert 'data-api="/auth/session"' in answer.text
        assert "<nav" not in answer.text
        assert "/auth/login" not in answer.text  # no provider is set


async def test_a_key_never_stands_in_an_address_also_before_scripts_run() -> None:
    text = (await shown("/", Nobody())).text
    [form] = re.findall(r"<form[^>]*>", text)
    assert 'method="post"' in form
    assert 'action="/auth/session"' in form
    assert "<button data-scripted disabled>Log in</button>" in text
    async with asking(gateway()) as client:
        answer = await client.post("/auth/session", data={"key": "assay_of_somebody"})
    assert answer.status_code == 415
    assert "assay_of_somebody" not in answer.text


async def test_a_page_says_exactly_what_it_may_run() -> None:
    for path in ("/", "/fleet", "/nowhere"):
        answer = await shown(path, reading=Models("m"))
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert POLICY == (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
        "object-src 'none'"
    )
    assert "unsafe" not in POLICY


@pytest.mark.parametrize("role", ["viewer", "analyst", "operator", "admin"])
async def test_the_navigation_leads_only_where_one_may_go(role: str) -> None:
    answer = await shown("/fleet", Reader(role), Models("m"))
    assert links(answer.text) == {one.path for one in ENTRIES if one.permission in ROLES[role]}


def test_each_role_begins_somewhere_and_agents_nowhere() -> None:
    assert {role: first_page(may) for role, may in ROLES.items()} == {
        "agent": None,
        "viewer": "/fleet",
        "analyst": "/fleet",
        "operator": "/fleet",
        "admin": "/fleet",
    }
    assert first_page({"audit:read"}) == "/audit"
    assert {one.permission for one in ENTRIES} <= ADMIN
    assert allowed(()) == []


async def test_what_events_say_is_text_and_never_markup() -> None:
    answer = await shown("/fleet", reading=Models(HOSTILE))
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text
    assert 'href="/fleet/%3Cscript%3Ealert%281%29%3C/script%3E%22%27%26"' in answer.text


async def test_people_get_problems_as_pages_and_programs_as_json() -> None:
    refused = await shown("/fleet", Reader("agent"))
    assert refused.status_code == 403
    assert "metrics:read" in refused.text
    nowhere = await shown("/nowhere")
    assert nowhere.status_code == 404
    assert nowhere.headers["content-type"].startswith("text/html")
    for path in ("/ai/nowhere", "/ai/operations?limit=0"):
        answer = await shown(path)
        assert answer.headers["content-type"] == "application/problem+json", path
    async with asking(gateway()) as client:
        answer = await client.get("/nowhere", headers={"Accept": "application/json"})
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_store_that_is_away_is_told_as_a_page() -> None:
    answer = await shown("/fleet")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert answer.headers["content-type"].startswith("text/html")


async def test_where_a_provider_is_set_one_may_log_in_there() -> None:
    app = standing()[0]
    app.state.signing_in, before = object(), app.state.signing_in
    try:
        bare = await shown("/fleet", Nobody())
        asked = await shown("/alerts?state=firing&model_id=a%26b", Nobody())
        named = await shown("/fleet/a%3Fb%20c", Nobody())
        long = await shown(f"/alerts?model_id={'m' * 600}", Nobody())
    finally:
        app.state.signing_in = before
    assert following(bare) == "/fleet"
    assert following(asked) == "/alerts?state=firing&model_id=a%26b"
    assert following(named) == "/fleet/a%3Fb%20c"
    assert following(long) == "/alerts"


def following(answer: httpx2.Response) -> str:
    """Where a login at the provider leads on to."""
    [address] = re.findall(r'href="(/auth/login[^"]*)"', answer.text)
    [wanted] = parse_qs(urlsplit(address).query)["next"]
    return wanted


async def test_a_page_tells_the_servers_time_by_which_durations_are_reckoned() -> None:
    for path in ("/", "/fleet"):
        text = (await shown(path, Nobody())).text
        [at] = re.findall(r'<meta name="server-time" content="([^"]+)">', text)
        assert datetime.fromisoformat(at).utcoffset() == timedelta(0)
