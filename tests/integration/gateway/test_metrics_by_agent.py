"""Metrics by agent and by release over HTTP: summed from rows, bounded, and a tenant's own."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from services.gateway.store import sessions, turns
from tests.integration.gateway.callers import Alone
from tests.integration.gateway.stored import (
    model_seen,
    store_feedback,
    store_operation,
    with_days,
)

LOCK = "LOCK TABLE ai_model_operations IN ACCESS EXCLUSIVE MODE"


def ago(**time: float) -> datetime:
    return datetime.now(UTC) - timedelta(**time)


@pytest.fixture(scope="module", autouse=True)
async def days(alone: Alone) -> None:
    """Partitions for all that is stored here, also when midnight passes meanwhile."""
    await with_days(alone.rows, *(ago(days=days) for days in (2, 1, 0, -1)))
    for model in ("judged", "m", "quiet"):
        await model_seen(alone.rows, model)


@pytest.fixture
async def locked(database_dsn: str) -> AsyncIterator[None]:
    """Nobody can read an operation meanwhile."""
    connection = await asyncpg.connect(database_dsn)
    async with connection.transaction():
        await connection.execute(LOCK)
        yield
    await connection.close()


async def metrics(alone: Alone, query: str, model: str = "m") -> dict[str, Any]:
    answer = await alone.viewer.get(f"/ai/metrics/{model}?{query}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_an_agent_a_release_and_both_are_counted_by_themselves(alone: Alone) -> None:
    for agent, release, minutes in (("a", "1", 1), ("a", "2", 10), ("b", "2", 1), ("a", "2", 600)):
        told = {"agent_id": agent, "release": release, "success": agent == "a"}
        operation_id = await store_operation(alone.rows, ago(minutes=minutes), **told)
        await store_feedback(alone.rows, ago(minutes=1), operation_id, rating=4, environment="x")
    # The same agent of another tenant.
    await store_operation(alone.rows, ago(minutes=1), tenant_id="globex", agent_id="a", release="2")
    for query, sample in {
        "agent_id=a": 2,
        "agent_id=a&window=5m": 1,
        "agent_id=a&window=24h": 3,
        "release=2": 2,
        "agent_id=a&release=2&window=15m": 1,
        "agent_id=a&environment=staging": 0,
        "agent_id=b&environment=production&operation_type=chat&variant=": 1,
    }.items():
        assert (query, (await metrics(alone, query))["sample"]) == (query, sample)
    answer = await metrics(alone, "agent_id=b")
    assert answer["success_rate"]["value"] == 0
    assert answer["feedback"]["count"] == 1
    assert answer["feedback"]["rating"]["value"] == 4
    assert (answer["stale"], answer["window"], answer["freshness_ms"]) == (False, "1h", 0)
    stranger = await alone.stranger.get("/ai/metrics/m?agent_id=a&window=24h")
    assert stranger.json()["sample"] == 1
    # Redis has no part in it.
    away = (await alone.without_redis.get("/ai/metrics/m?agent_id=a")).json()
    assert (away["sample"], away["stale"]) == (2, False)


async def test_a_series_by_agent_has_the_steps_in_which_something_happened(alone: Alone) -> None:
    hour = ago(hours=5).replace(minute=0, second=0, microsecond=0)
    for minutes in (1, 1.5, 7, 120):
        await store_operation(alone.rows, hour + timedelta(minutes=minutes), agent_id="steady")
    params = {"from": hour.isoformat(), "to": (hour + timedelta(hours=1)).isoformat()}
    path = "/ai/metrics/m/series"
    answer = (
        await alone.viewer.get(path, params=params | {"step": "5m", "agent_id": "steady"})
    ).json()
    assert [(datetime.fromisoformat(one["at"]), one["sample"]) for one in answer["items"]] == [
        (hour, 2),
        (hour + timedelta(minutes=5), 1),
    ]
    assert (await alone.viewer.get(path, params=params | {"agent_id": "nobody"})).json()[
        "items"
    ] == []


async def test_its_status_is_judged_by_the_tenants_limits_whatever_window_is_asked(
    alone: Alone,
) -> None:
    for _ in range(40):
        await store_operation(alone.rows, ago(minutes=1), agent_id="bad", model_id="judged",
                              success=False)  # fmt: skip
    for window in ("5m", "24h"):
        answer = await metrics(alone, f"agent_id=bad&window={window}", "judged")
        assert answer["status"] == "critical"
        assert "40 of 40 operations failed" in answer["reasons"][0]
        assert "Over 5m" in answer["reasons"][0]
    limits = {"failures": None}
    put = await alone.admin.put("/ai/models/judged/health-limits", json=limits)
    assert put.status_code == 200
    assert (await metrics(alone, "agent_id=bad", "judged"))["status"] == "good"


async def test_of_an_agent_never_seen_nothing_is_known(alone: Alone) -> None:
    for query in ("agent_id=nobody", "release=none"):
        answer = await metrics(alone, query, "quiet")
        assert (answer["sample"], answer["status"]) == (0, "unknown")
        assert answer["success_rate"]["value"] is None
        assert answer["errors"] == []


@pytest.mark.parametrize("path", ["never-sent?agent_id=a", "never-sent/series?release=1"])
async def test_an_unknown_model_is_not_found(alone: Alone, path: str) -> None:
    assert (await alone.viewer.get(f"/ai/metrics/{path}")).status_code == 404


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ("m?agent_id=a&window=7d", "/window"),
        ("m?release=1&window=7d", "/window"),
        ("m/series?agent_id=a&step=1h&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:01Z", "/from"),
    ],
)
async def test_more_than_a_day_is_refused(alone: Alone, path: str, pointer: str) -> None:
    answer = await alone.viewer.get(f"/ai/metrics/{path}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert "at most 24 hours" in answer.json()["detail"]
    assert "take a shorter" in answer.json()["detail"]


@pytest.mark.usefixtures("locked")
@pytest.mark.parametrize(
    ("path", "pointer"), [("m?agent_id=a", "/window"), ("m/series?agent_id=a", "/from")]
)
async def test_what_cannot_be_summed_in_time_is_said_to_be_too_much(
    alone: Alone, monkeypatch: pytest.MonkeyPatch, path: str, pointer: str
) -> None:
    monkeypatch.setattr(sessions, "STATEMENT_TIMEOUT", "SET LOCAL statement_timeout = '1s'")
    answer = await alone.viewer.get(f"/ai/metrics/{path}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert "cannot be summed in time; take a shorter" in answer.json()["detail"]
    assert "retry-after" not in answer.headers


@pytest.mark.usefixtures("locked")
async def test_a_tenant_has_one_sum_at_once_and_others_theirs(
    alone: Alone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "STATEMENT_TIMEOUT", "SET LOCAL statement_timeout = '3s'")
    monkeypatch.setattr(turns, "WAIT_S", 0.01)
    question = "/ai/metrics/m?agent_id=a"
    callers = (alone.viewer, alone.viewer, alone.stranger)
    answers = await asyncio.gather(*(one.get(question) for one in callers))
    assert sorted(one.status_code for one in answers[:2]) == [422, 503]
    assert answers[2].status_code == 422
    refused = next(one for one in answers if one.status_code == 503)
    assert refused.json()["type"] == "/problems/overloaded"
    assert refused.headers["retry-after"]
