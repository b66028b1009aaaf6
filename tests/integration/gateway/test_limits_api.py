"""Limits of health over HTTP: given, inherited, forgotten, and obeyed by every status."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.gateway.service import limits as service
from shared import keys
from shared.health.limits import DEFAULT_LIMITS, HealthLimits
from shared.views import Health, StatusView
from tests.integration.gateway.callers import Alone
from tests.integration.gateway.test_health_api import happened, made_ready

OF_ALL = "/ai/health-limits"
OF_ONE = "/ai/models/org/model/health-limits"
DEFAULTS = DEFAULT_LIMITS.model_dump()
LAX = {"failures": {"warning": 0.5, "critical": 0.9}}
NOTHING_GIVEN = dict.fromkeys(("given", "created_at", "created_by", "updated_at", "updated_by"))


@pytest.fixture(autouse=True)
async def _nothing_given(alone: Alone) -> AsyncIterator[None]:
    yield
    await alone.rows("DELETE FROM health_limits")


async def put(alone: Alone, path: str, body: Any) -> dict[str, Any]:
    answer = await alone.admin.put(path, json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_where_nothing_is_given_assays_own_limits_hold(alone: Alone) -> None:
    assert (await alone.viewer.get(OF_ALL)).json() == {"limits": DEFAULTS, **NOTHING_GIVEN}
    model = (await alone.viewer.get(OF_ONE)).json()
    assert model == {"model_id": "org/model", "limits": DEFAULTS, **NOTHING_GIVEN}


async def test_a_model_inherits_what_it_is_not_given(alone: Alone) -> None:
    tenant = await put(alone, OF_ALL, {"min_sample": 50, **LAX})
    assert tenant["given"] == {"min_sample": 50, **LAX}
    assert tenant["limits"] == DEFAULTS | {"min_sample": 50, **LAX}
    assert tenant["created_by"] == tenant["updated_by"]
    assert tenant["created_by"].startswith("key:")
    assert (await alone.viewer.get(OF_ALL)).json() == tenant
    slow = {"after_ms": 500.0, "warning": 0.1, "critical": 0.2}
    model = await put(alone, OF_ONE, {"slow": slow, "rating": None})
    assert (model["model_id"], model["given"]) == ("org/model", {"slow": slow, "rating": None})
    assert model["limits"] == tenant["limits"] | {"slow": slow, "rating": None}
    other = (await alone.viewer.get(OF_ONE.replace("org/model", "other"))).json()
    assert (other["given"], other["limits"]) == (None, tenant["limits"])


async def test_new_limits_take_the_place_of_the_old_ones(alone: Alone) -> None:
    first = await put(alone, OF_ONE, LAX)
    second = await put(alone, OF_ONE, {"min_sample": 30})
    assert second["limits"] == DEFAULTS | {"min_sample": 30}
    assert second["created_at"] == first["created_at"] == first["updated_at"]
    assert second["updated_at"] > first["updated_at"]
    assert (await put(alone, OF_ONE, {}))["given"] == {}


async def test_limits_that_are_forgotten_are_inherited_again(alone: Alone) -> None:
    await put(alone, OF_ALL, {"min_sample": 50})
    await put(alone, OF_ONE, {"min_sample": 60})
    assert (await alone.admin.delete(OF_ONE)).status_code == 204
    assert (await alone.viewer.get(OF_ONE)).json()["limits"]["min_sample"] == 50
    assert (await alone.admin.delete(OF_ALL)).status_code == 204
    assert (await alone.viewer.get(OF_ONE)).json()["limits"] == DEFAULTS
    for path in (OF_ALL, OF_ONE):
        assert (await alone.admin.delete(path)).status_code == 404


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"failures": {"warning": 7, "critical": 8}}, "/failures/warning"),
        ({"failures": {"warning": 0.1}}, "/failures/critical"),
        ({"failures": {"warning": 0.3, "critical": 0.2}}, "/failures"),
        ({"failures": {"warning": None, "critical": 0.2}}, "/failures/warning"),
        ({"rating": {"warning": 2, "critical": 3}}, "/rating"),
        ({"slow": {"after_ms": 0, "warning": 0.1, "critical": 0.2}}, "/slow/after_ms"),
        ({"min_sample": 3}, "/min_sample"),
        ({"min_sample": "30"}, "/min_sample"),
        ({"treshold": 1}, "/treshold"),
        ([], ""),
    ],
)
@pytest.mark.parametrize("path", [OF_ALL, OF_ONE])
async def test_limits_that_make_no_sense_are_refused(
    alone: Alone, path: str, body: Any, pointer: str
) -> None:
    answer = await alone.admin.put(path, json=body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert (await alone.viewer.get(path)).json()["given"] is None


async def test_an_empty_body_takes_nothing_away(alone: Alone) -> None:
    await put(alone, OF_ONE, LAX)
    json_type = {"Content-Type": "application/json"}
    answer = await alone.admin.put(OF_ONE, content=b"", headers=json_type)
    assert (answer.status_code, "empty" in answer.json()["detail"]) == (400, True)
    assert (await alone.viewer.get(OF_ONE)).json()["given"] == LAX


@pytest.mark.parametrize("name", ["", "x" * 129, "%00"])
async def test_no_strange_name_reaches_the_limits_of_the_tenant(alone: Alone, name: str) -> None:
    await put(alone, OF_ALL, LAX)
    path = f"/ai/models/{name}/health-limits"
    for answer in (
        await alone.admin.get(path),
        await alone.admin.put(path, json={"min_sample": 30}),
        await alone.admin.delete(path),
    ):
        assert answer.status_code == 422, answer.text
    assert (await alone.viewer.get(OF_ALL)).json()["given"] == LAX


async def test_other_tenants_and_roles_have_no_part_in_it(alone: Alone) -> None:
    for path in (OF_ALL, OF_ONE):
        await put(alone, path, LAX)
        assert (await alone.stranger.get(path)).json()["given"] is None
        assert (await alone.stranger.delete(path)).status_code == 404
        assert (await alone.stranger.put(path, json={"min_sample": 30})).status_code == 200
        assert (await alone.viewer.put(path, json={})).status_code == 403
        assert (await alone.viewer.delete(path)).status_code == 403
        assert (await alone.agent.get(path)).status_code == 403
        assert (await alone.viewer.get(path)).json()["given"] == LAX


async def test_the_same_idempotency_key_writes_once(alone: Alone) -> None:
    key = {"Idempotency-Key": "limits"}
    first = await alone.admin.put(OF_ONE, json=LAX, headers=key)
    await put(alone, OF_ONE, {"min_sample": 30})
    again = await alone.admin.put(OF_ONE, json=LAX, headers=key)
    assert again.json() == first.json()
    assert (await alone.viewer.get(OF_ONE)).json()["given"] == {"min_sample": 30}
    other = await alone.admin.put(OF_ONE, json={}, headers=key)
    assert other.json()["type"] == "/problems/idempotency-reuse"
    removed = [await alone.admin.delete(OF_ONE, headers=key) for _ in range(2)]
    assert [one.status_code for one in removed] == [204, 204]


async def test_only_so_many_models_have_limits_of_their_own(
    alone: Alone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_MODELS", 2)
    paths = [OF_ONE.replace("org/model", name) for name in "abc"]
    for path in (OF_ALL, *paths[:2], *paths[:2], OF_ALL):
        await put(alone, path, LAX)
    refused = await alone.admin.put(paths[2], json=LAX)
    assert refused.status_code == 422
    assert "at most 2 models" in refused.json()["detail"]
    await alone.admin.delete(paths[0])
    await put(alone, paths[2], LAX)


async def test_every_status_from_minutes_obeys_the_limits_of_its_model(alone: Alone) -> None:
    for name in ("lax", "strict"):
        await happened(alone, name, ("production", "chat"), 100, 70)
    await put(alone, "/ai/models/lax/health-limits", LAX)

    async def told(name: str) -> list[str]:
        status = (await alone.viewer.get(f"/ai/models/{name}/status")).json()
        metrics = [
            (await alone.viewer.get(f"/ai/metrics/{name}?{query}")).json()
            for query in ("", "environment=production")
        ]
        listed = (await alone.without_redis.get("/ai/models")).json()
        statistics = (await alone.viewer.get("/ai/statistics?refresh=true")).json()
        lines = [
            next(one for one in found["items"] if one["model_id"] == name)
            for found in (listed, statistics)
        ]
        return [one["status"] for one in (status, *status["parts"], *metrics, *lines)]

    assert await told("lax") == ["good"] * 6
    assert await told("strict") == ["critical"] * 6


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (HealthLimits.model_validate(LAX), "good"),
        (DEFAULT_LIMITS, "critical"),
        (None, "critical"),
        ("[]", "critical"),
        ('{"limits": 7}', "critical"),
        ("{", "critical"),
    ],
)
async def test_a_filtered_answer_obeys_the_limits_that_its_view_was_judged_by(
    alone: Alone, status: HealthLimits | str | None, expected: str
) -> None:
    view = StatusView(
        model_id="filtered", status=Health.GOOD, reasons=[], measures=[], parts=[], limits={}
    )
    await made_ready(alone, view)
    name = keys.view("acme", "filtered")
    cells = [
        [["filtered", "production", "chat", ""], {"n": 100, "ok": 70}],
        [["filtered", "staging", "chat", ""], {"n": 100, "ok": 0}],
    ]
    for window in keys.WINDOWS:
        await alone.redis.hset(name, f"{window}:series", json.dumps(cells))
    if isinstance(status, HealthLimits):
        limits = status.model_dump(mode="json")
        status = view.model_copy(update={"limits": limits}).model_dump_json()
    await alone.redis.hdel(name, keys.STATUS_FIELD)
    if status is not None:
        await alone.redis.hset(name, keys.STATUS_FIELD, status)
    answer = (await alone.viewer.get("/ai/metrics/filtered?environment=production")).json()
    assert (answer["status"], answer["sample"]) == (expected, 100)
