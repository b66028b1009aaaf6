"""The whole way over HTTP: log, store, count, ask; and every way of being refused."""

import asyncio
import json
from typing import Any

import httpx2
import pytest

from tests.integration.gateway.callers import Clients, fields
from tests.support.events import operation
from tests.support.waiting import eventually


async def metrics_of(client: httpx2.AsyncClient, model: str, query: str = "") -> dict[str, Any]:
    """A model's metrics; the problem's body when there are none."""
    answer = (await client.get(f"/ai/metrics/{model}?{query}")).json()
    return dict(answer)


async def test_a_logged_operation_can_be_asked_for(clients: Clients) -> None:
    sent = fields(1, model_id="walk/model", operation_id="walk-1")
    answer = await clients.agent.post("/ai/operations/log", json=sent)
    assert answer.status_code == 202
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (1, 0)

    async def stored() -> Any:
        found = await clients.viewer.get("/ai/operations/walk-1")
        return found.json() if found.status_code == 200 else None

    row = await eventually(stored, why="the operation is stored")
    assert row["event_id"] == answer.json()["event_ids"][0]
    assert (row["model_id"], row["input_tokens"]) == ("walk/model", sent["input_tokens"])
    assert row["user_pseudonym"].startswith("v1.")

    async def counted() -> bool:
        return (await metrics_of(clients.viewer, "walk/model")).get("sample") == 1

    await eventually(counted, why="the operation is counted")
    view = await metrics_of(clients.viewer, "walk/model")
    assert view["status"] == "unknown"
    assert view["response_time_ms"]["p50"] == pytest.approx(sent["response_time_ms"], rel=0.01)
    assert view["freshness_ms"] >= 0
    assert view["feedback"]["count"] == 0


async def test_a_batch_answers_for_each_event(clients: Clients) -> None:
    good = [fields(n, model_id="batch") for n in range(100, 140)]
    bad = fields(140, model_id="batch") | {"confidence": 7}
    answer = (await clients.agent.post("/ai/operations/log", json=[*good, bad])).json()
    assert (answer["accepted"], answer["rejected"]) == (40, 1)
    assert answer["event_ids"][40] is None
    assert answer["errors"] == [
        {
            "index": 40,
            "pointer": "/confidence",
            "code": "invalid_field",
            "message": "confidence: Input should be less than or equal to 1",
        }
    ]

    async def counted() -> bool:
        return (await metrics_of(clients.viewer, "batch")).get("sample") == 40

    async def listed() -> bool:
        lines = (await clients.viewer.get("/ai/models")).json()["items"]
        return ("batch", 40) in {(line["model_id"], line["sample"]) for line in lines}

    # Metrics come from stored minutes until there is a view; the list knows views only.
    await eventually(counted, why="the good ones are counted")
    await eventually(listed, why="the model is listed")
    view = await metrics_of(clients.viewer, "batch")
    assert view["status"] != "unknown"
    by_variant = [await metrics_of(clients.viewer, "batch", f"variant={v}") for v in "ab"]
    assert sum(each["sample"] for each in by_variant) == 40

    async def in_minutes() -> bool:
        series = (await clients.viewer.get("/ai/metrics/batch/series?step=1m")).json()
        return sum(item["sample"] for item in series.get("items", [])) == 40

    await eventually(in_minutes, why="the minutes are stored")


async def test_lists_are_paged_newest_first(clients: Clients) -> None:
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await clients.viewer.get(f"/ai/operations?model_id=batch&limit=15{cursor}")).json()
        seen += [item["operation_id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len(seen) == len(set(seen)) == 40
    failed = (await clients.viewer.get("/ai/operations?model_id=batch&success=false")).json()
    assert {item["error_type"] for item in failed["items"]} == {"timeout"}
    by_user = (await clients.viewer.get("/ai/operations?model_id=batch&user_id=user-7")).json()
    assert [item["operation_id"] for item in by_user["items"]] == ["op-107"]


async def test_feedback_reaches_the_metrics_of_its_model(clients: Clients) -> None:
    feedback = {"operation_id": "walk-1", "rating": 4, "helpful": True}
    assert (await clients.agent.post("/ai/feedback/submit", json=feedback)).status_code == 202

    async def counted() -> bool:
        view = await metrics_of(clients.viewer, "walk/model")
        return view["feedback"]["rating"]["value"] == 4

    await eventually(counted, why="the feedback is counted")


@pytest.mark.parametrize(
    ("who", "method", "path", "status"),
    [
        ("nobody", "GET", "/ai/models", 401),
        ("nobody", "POST", "/ai/operations/log", 401),
        ("agent", "GET", "/ai/models", 403),
        ("agent", "GET", "/ai/operations/walk-1", 403),
        ("viewer", "POST", "/ai/operations/log", 403),
        ("viewer", "POST", "/ai/feedback/submit", 403),
        ("stranger", "GET", "/ai/operations/walk-1", 404),
        ("stranger", "GET", "/ai/metrics/batch", 404),
        ("stranger", "GET", "/ai/metrics/batch/series", 404),
        ("admin", "GET", "/ai/nowhere", 404),
        ("admin", "DELETE", "/ai/models", 405),
        ("viewer", "GET", "/ai/operations?limit=2000", 422),
        ("viewer", "GET", "/ai/operations?cursor=nonsense", 422),
        ("viewer", "GET", "/ai/metrics/batch?window=3h", 422),
        ("viewer", "GET", "/ai/metrics/batch/series?from=2026-01-01T00:00:00Z&step=1m", 422),
    ],
)
async def test_refusals_are_problems(
    clients: Clients, who: str, method: str, path: str, status: int
) -> None:
    answer = await getattr(clients, who).request(
        method, path, json={} if method == "POST" else None
    )
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert answer.headers["x-request-id"]


async def test_another_tenant_sees_nothing(clients: Clients) -> None:
    assert (await clients.stranger.get("/ai/models")).json()["items"] == []
    assert (await clients.stranger.get("/ai/operations")).json()["items"] == []


async def test_the_tenant_comes_from_the_credential(clients: Clients) -> None:
    sent = fields(5, operation_id="mine", model_id="m5") | {"tenant_id": "globex"}
    assert (await clients.agent.post("/ai/operations/log", json=sent)).status_code == 202

    async def stored() -> bool:
        return (await clients.viewer.get("/ai/operations/mine")).status_code == 200

    await eventually(stored, why="it is stored under the key's tenant")
    assert (await clients.stranger.get("/ai/operations/mine")).status_code == 404


@pytest.mark.parametrize(
    ("body", "kind", "status", "says"),
    [
        (b"{", "application/json", 400, "not JSON"),
        (b"", "application/json", 400, "not JSON"),
        (b"[]", "application/json", 422, "1 to 500"),
        (b"3", "application/json", 422, "object"),
        (b"{}", "text/plain", 415, "application/json"),
        (b" " * (1024 * 1024 + 1), "application/json", 413, "1048576"),
        (json.dumps([{}] * 501).encode(), "application/json", 422, "501"),
        (b"[" * 20_000 + b"]" * 20_000, "application/json", 422, "deep"),
        (json.dumps(fields(9) | {"confidence": float("nan")}).encode(), "", 422, "confidence"),
        (json.dumps(fields(9) | {"error_message": "\ud800"}).encode(), "", 422, "error_message"),
        (json.dumps(fields(9) | {"padding": "x" * 70_000}).encode(), "", 422, "65536"),
        (json.dumps(fields(9) | {"event_id": "x"}).encode(), "", 422, "occurred_at"),
        (json.dumps(fields(9) | {"success": "yes"}).encode(), "", 422, "success"),
        (json.dumps(fields(9) | {"schema_version": 9}).encode(), "", 422, "schema_version"),
        (json.dumps(operation(9) | {"occurred_at": "2020-01-01T00:00:00Z"}).encode(), "", 422,
         "occurred_at"),
    ],
)  # fmt: skip
async def test_bad_bodies_name_what_is_wrong(
    clients: Clients, body: bytes, kind: str, status: int, says: str
) -> None:
    answer = await clients.agent.post(
        "/ai/operations/log", content=body, headers={"content-type": kind or "application/json"}
    )
    assert answer.status_code == status
    assert says in answer.json()["detail"]


async def test_the_same_idempotency_key_gets_the_same_answer(clients: Clients) -> None:
    headers = {"Idempotency-Key": "once"}
    body = fields(6, operation_id="once", model_id="once")
    first, second = [
        await clients.agent.post("/ai/operations/log", json=body, headers=headers) for _ in range(2)
    ]
    assert first.json() == second.json()
    other = await clients.agent.post(
        "/ai/operations/log", json=body | {"success": False}, headers=headers
    )
    assert other.status_code == 422
    assert other.json()["type"] == "/problems/idempotency-reuse"


async def test_a_revoked_key_and_a_wrong_secret_are_refused(clients: Clients) -> None:
    key = clients.viewer.headers["authorization"]
    wrong = key[:-1] + ("A" if key[-1] != "A" else "B")
    answer = await clients.nobody.get("/ai/models", headers={"Authorization": wrong})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_every_route_declares_who_may_use_it(clients: Clients) -> None:
    document = (await clients.nobody.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    undeclared = [
        f"{method} {path}"
        for path, methods in document["paths"].items()
        for method, described in methods.items()
        if "x-permission" not in described
    ]
    assert undeclared == []


async def test_prometheus_and_liveness_answer_without_a_key(clients: Clients) -> None:
    assert (await clients.nobody.get("/healthz")).json() == {"status": "ok"}
    text = (await clients.nobody.get("/metrics")).text
    assert "assay_http_requests_total" in text
    assert "acme" not in text


async def test_requests_in_parallel_do_not_disturb_each_other(clients: Clients) -> None:
    answers = await asyncio.gather(
        *(clients.viewer.get("/ai/metrics/batch") for _ in range(50)),
        *(clients.stranger.get("/ai/metrics/batch") for _ in range(50)),
    )
    assert [a.status_code for a in answers] == [200] * 50 + [404] * 50
