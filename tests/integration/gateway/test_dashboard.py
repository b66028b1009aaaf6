"""The dashboard by a session's cookie, on what is stored; who may see what is the matrix's."""

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from html import unescape
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from deploy.jobs.keys import create_key
from services.gateway.domain.dashboard.navigation import ENTRIES
from services.gateway.domain.permissions import ROLES
from services.gateway.routes.dashboard.showing import POLICY
from tests.contract.test_openapi import hidden_routes
from tests.integration.gateway.callers import Alone
from tests.integration.gateway.matrix import QUERIES
from tests.integration.gateway.stored import model_seen, store_feedback, store_operation, with_days
from tests.support.forms import Sent
from tests.support.system import AUDIT

HOSTILE = '<script>alert("x")</script><img src=x onerror=alert(1)>'
MARKUP = ("<script>alert", "<img src=x")
MOST_BYTES = 300_000
CSRF = {"X-Assay-CSRF": "1"}
LINKED = re.compile(r'(?:src|href)="(/assets/[^"]+)"')


@pytest.fixture(scope="module")
async def operation_id(alone: Alone) -> str:
    """One operation, whose every text is somebody's attempt."""
    now = datetime.now(UTC)
    await with_days(alone.rows, now)
    await model_seen(alone.rows, HOSTILE)
    texts = dict.fromkeys(("error_type", "error_message", "input_text", "output_text"), HOSTILE)
    named = {"operation_id": "op-hostile", "model_id": HOSTILE, "success": False}
    found = await store_operation(alone.rows, now, **named, **texts)
    said = {"comment": HOSTILE, "correction": HOSTILE, "model_id": HOSTILE}
    await store_feedback(alone.rows, now, found, **said)
    return found


@pytest.fixture
async def browser(alone: Alone, database_dsn: str) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody without a header, who has logged in as a viewer."""
    transport = alone.admin._transport
    named = {"tenant": "acme", "role": "viewer", "name": "browser"}
    key = (await create_key(database_dsn, **named, audit=AUDIT)).key
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        assert (await client.post("/auth/session", json={"key": key})).status_code == 201
        yield client


async def test_a_session_leads_on_and_ends_at_the_login(browser: httpx2.AsyncClient) -> None:
    led = await browser.get("/")
    assert (led.status_code, led.headers["location"]) == (303, "/fleet")
    page = await browser.get("/fleet")
    assert page.status_code == 200
    assert page.headers["content-security-policy"] == POLICY
    assert (await browser.delete("/auth/session", headers=CSRF)).status_code == 204
    for path, status in (("/", 200), ("/fleet", 401)):
        answer = await browser.get(path)
        assert answer.status_code == status
        assert 'data-api="/auth/session"' in answer.text


async def test_a_session_changes_nothing_without_the_header_of_our_pages(
    browser: httpx2.AsyncClient,
) -> None:
    assert (await browser.delete("/auth/session")).status_code == 403
    assert (await browser.get("/fleet")).status_code == 200


async def test_a_viewer_is_led_nowhere_that_is_closed_to_him(browser: httpx2.AsyncClient) -> None:
    page = await browser.get("/fleet")
    for entry in ENTRIES:
        is_open = entry.permission in ROLES["viewer"]
        assert (f'<a href="{entry.path}"' in page.text) == is_open
        assert ((await browser.get(entry.path)).status_code == 200) == is_open
    assert 'data-api="/ai/alerts/' not in (await browser.get("/alerts")).text
    assert "/rules/new" not in (await browser.get("/rules")).text
    assert "/export" not in (await browser.get("/training")).text


async def test_a_key_that_reads_nothing_is_told_so(alone: Alone) -> None:
    key = alone.agent.headers["authorization"].removeprefix("Bearer ")
    transport = alone.agent._transport
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        assert (await client.post("/auth/session", json={"key": key})).status_code == 201
        answer = await client.get("/")
        assert answer.status_code == 200
        assert "may send events" in answer.text
        assert (await client.get("/fleet")).status_code == 403


async def test_what_was_sent_is_shown_as_text(alone: Alone, operation_id: str) -> None:
    seen = 0
    name = quote(HOSTILE, safe="")
    paths = (
        *("/live", f"/live/{operation_id}", "/feedback", "/feedback/said"),
        *(f"/fleet/{name}", f"/fleet/{name}/charts", f"/fleet/{name}/history"),
        *(f"/alerts?model_id={name}", f"/training?model_id={name}", f"/audit?actor={name}"),
    )
    for path in paths:
        answer = await alone.admin.get(path)
        assert answer.status_code == 200, path
        assert not [one for one in MARKUP if one in answer.text], path
        seen += "&lt;script&gt;alert" in answer.text
    assert seen >= 7


async def test_another_tenants_objects_are_not_there(alone: Alone, operation_id: str) -> None:
    name = quote(HOSTILE, safe="")
    for path in (f"/live/{operation_id}", f"/fleet/{name}", f"/fleet/{name}/charts"):
        answer = await alone.stranger.get(path)
        assert answer.status_code == 404, path
        assert answer.headers["content-type"].startswith("text/html")
        assert 'href="/"' in answer.text
        assert not [one for one in MARKUP if one in answer.text]


async def test_no_page_is_heavy_and_all_that_it_loads_is_ours(alone: Alone) -> None:
    lists = [one.path for one in hidden_routes() if one.openapi_extra.get("x-page")]
    for path in (one for one in lists if "{" not in one):
        page = await alone.admin.get(path, params=QUERIES.get(f"GET {path}", {}))
        assert page.status_code == 200, path
        whole = len(page.content)
        for address in set(LINKED.findall(page.text)):
            whole += len((await alone.admin.get(address)).content)
        assert whole <= MOST_BYTES, path
        assert not re.search(r'(?:src|href|hx-get)="(?:https?:)?//', page.text), path


async def test_pages_go_on_without_redis_as_the_api_does(alone: Alone, operation_id: str) -> None:
    assert operation_id
    page = await alone.without_redis.get("/fleet")
    assert page.status_code == 200
    assert "The live store is away" in page.text
    model = await alone.without_redis.get(f"/fleet/{quote(HOSTILE, safe='')}")
    assert model.status_code == 200
    assert "The live store is away" in model.text
    away = await alone.without_redis.get("/system")
    assert away.status_code == 503
    assert "<h1>" in away.text


async def test_a_rule_is_tried_before_it_is_kept_and_refused_as_it_would_be(alone: Alone) -> None:
    good = {"name": "n", "metric": "error_rate", "operator": ">", "warning": 0.5}
    elsewhere = good | {"filter": {"model_id": "never-sent"}}
    for rule, status, said in (
        (good, 200, "nobody was told"),
        (elsewhere, 422, "matches nothing that was ever sent"),
        ({"name": "n"}, 422, "needs exactly one of operator"),
    ):
        answer = await alone.admin.get("/rules/preview", params={"rule": json.dumps(rule)})
        assert answer.status_code == status
        assert said in answer.text
    rules = (await alone.admin.get("/ai/alert-rules")).json()["items"]
    assert rules == []


KINDS: dict[str, dict[str, Any]] = {
    "limit": {"operator": "<", "metric": "success_rate", "warning": 0.9, "recovery": 0.95},
    "past": {"baseline": {"kind": "same_hour_last_week", "delta": 0.05}},
    "burn_rate": {"burn_rate": {"slo": 0.995}},
    "silence": {
        "metric": "throughput_per_minute",
        "operator": "<",
        "warning": 0,
        "window": "15m",
        "no_data": "alert",
    },
}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_rule_of_any_kind_opens_with_its_values_and_is_tried_without_a_script(
    alone: Alone, kind: str
) -> None:
    body = {"name": kind, "labels": {"team": HOSTILE}, "group_by": ["environment", "model_id"]}
    made = await alone.admin.post("/ai/alert-rules", json=body | KINDS[kind])
    assert made.status_code == 201, made.text
    rule = made.json()
    page = await alone.admin.get(f"/rules/{rule['id']}")
    assert f'id="kind-{kind}"' in page.text
    sent = Sent(page.text).fields
    assert [text for name, text in sent if name == "kind"] == [kind]
    assert [text for name, text in sent if name == "labels.value"] == [HOSTILE, ""]
    tried = await alone.admin.get("/rules/preview", params=sent)
    assert tried.status_code == 200, tried.text
    assert not [one for one in MARKUP if one in tried.text]
    assert ("Silence is not tried here" in tried.text) == (kind == "silence")
    [shown] = re.findall(r"<pre>(.*?)</pre>", tried.text, re.DOTALL)
    again = await alone.admin.put(f"/ai/alert-rules/{rule['id']}", json=json.loads(unescape(shown)))
    assert again.json() | {"updated_at": ""} == rule | {"updated_at": ""}
    assert (await alone.admin.delete(f"/ai/alert-rules/{rule['id']}")).status_code == 204


async def test_what_is_wrong_with_a_rule_stands_at_its_field(alone: Alone) -> None:
    channel = {"name": "ops", "type": "webhook", "url": "https://nowhere.invalid/hook"}
    made = (await alone.admin.post("/ai/notification-channels", json=channel)).json()
    fresh = await alone.admin.get("/rules/new")
    assert made["id"] in fresh.text
    sent = [one for one in Sent(fresh.text).fields if one[0] not in {"name", "warning"}]
    for typed, field in (
        ({"warning": "much"}, "warning"),
        ({"kind": "burn_rate"}, "burn_rate.slo"),
        ({"filter.model_id": "never-sent"}, "filter.model_id"),
        ({"told": "these", "channels": f"{made['id'][:-1]}0"}, "channels"),
    ):
        changed = {"name": "n", "warning": "0.5"} | typed
        others = [one for one in sent if one[0] not in changed]
        answer = await alone.admin.get("/rules/preview", params=[*others, *changed.items()])
        assert answer.status_code == 422
        slots = re.findall(r'data-said="([^"]+)"[^>]*>([^<]+)<', answer.text)
        assert [name for name, _ in slots] == [field]
        if "channels" not in typed:
            assert str(next(iter(typed.values()))) in dict(Sent(answer.text).fields).values()
    assert (await alone.admin.delete(f"/ai/notification-channels/{made['id']}")).status_code == 204


async def test_a_test_is_planned_as_the_api_plans_it(alone: Alone) -> None:
    page = await alone.admin.get("/experiments/new")
    assert page.status_code == 200
    assert 'data-api="/ai/ab-tests"' in page.text
    asked = {"metric": "success_rate", "baseline": 0.9, "min_effect": 0.02, "units_per_day": 1000}
    planned = (await alone.admin.post("/ai/ab-tests/plan", json=asked)).json()
    shown = await alone.admin.get("/experiments/plan", params={"asked": json.dumps(asked)})
    assert f"<dd>{planned['units_total']:,}</dd>" in shown.text
    assert f"<dd>{planned['days']}</dd>" in shown.text
    wrong = json.dumps(asked | {"baseline": 2})
    refused = await alone.admin.get("/experiments/plan", params={"asked": wrong})
    assert refused.status_code == 422
    assert 'data-pointer="/baseline"' in refused.text
