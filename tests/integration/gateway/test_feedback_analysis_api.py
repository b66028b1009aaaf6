"""GET summary, trends and recommendations of feedback, over tables that were filled by hand."""

from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from services.gateway.domain.analysis.answers import (
    FeedbackTrends,
    Recommendations,
    SummaryAnswer,
)
from services.gateway.store import sessions
from tests.integration.gateway.analysed import NOW, forget, judged, operated, said, trained
from tests.integration.gateway.callers import Alone

SUMMARY = "/ai/feedback/summary"
TRENDS = "/ai/feedback/trends"
ADVICE = "/ai/feedback/recommendations"
NOTHING = {"value": None, "low": None, "high": None, "count": 0}
ANEW = {"refresh": True}
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
async def _empty(alone: Alone) -> None:
    await forget(alone.rows)


def item(answer: Any, **group: str | None) -> Any:
    return next(one for one in answer["items"] if one["group"] == group)


async def test_of_nothing_everything_is_null_and_never_0(alone: Alone) -> None:
    found = (await alone.viewer.get(SUMMARY)).json()
    assert (found["groups"], found["items"], found["by"]) == (0, [], "model")
    total = found["total"]
    assert (total["count"], total["comments"], total["conflicts"]) == (0, 0, 0)
    shown = [total["rating"], total["quality"], total["conflict_share"]]
    shown += [*total["aspects"].values(), *total["sentiment"].values()]
    assert len(shown) == 11
    assert all(one == NOTHING for one in shown)
    none = {"feedback": 0, "operations": 0, "oldest_at": None, "operations_over_24h": 0}
    assert found["waiting"] == none
    span = datetime.fromisoformat(found["to"]) - datetime.fromisoformat(found["from"])
    assert span == timedelta(days=30)
    trends = (await alone.viewer.get(TRENDS, params=ANEW)).json()
    for metric in trends["metrics"].values():
        assert all(one["value"] is None and one["count"] == 0 for one in metric["points"])
        assert metric["trend"]["direction"] == "unknown"
        assert metric["trend"]["slope_per_day"] is None
        assert metric["change"]["before"] == metric["change"]["after"] == NOTHING
        assert metric["change"]["significant"] is None
    advice = (await alone.viewer.get(ADVICE, params=ANEW)).json()
    assert (advice["items"], advice["feedback"]) == ([], 0)
    assert "no feedback" in advice["reason"]
    assert advice["themes"]["items"] == []
    assert "nobody commented" in advice["themes"]["reason"]


async def test_the_summary_counts_each_person_once_and_tells_groups_apart(alone: Alone) -> None:
    rows = alone.rows
    one = await operated(rows)
    other = await operated(rows, model_id="model-b", model_version="2", agent_id=None)
    before = {"user_pseudonym": "ann", "rating": 1, "label": "negative", "is_superseded": True}
    await said(rows, one, NOW - 3 * HOUR, "outdated", **before)
    now = {"user_pseudonym": "ann", "rating": 5, "label": "positive", "accurate": True}
    await said(rows, one, NOW - 2 * HOUR, "mended, thanks", **now, from_comment=["accurate"])
    await said(rows, other, NOW - HOUR, user_pseudonym="ann", rating=2, label="negative")
    await said(rows, other, NOW - HOUR, source="reviewer", helpful=False, conflict=["aspects"])
    own = {"source": "model", "rating": 5, "label": "positive", "is_own_judge": True}
    await said(rows, other, NOW - HOUR, "I am right", **own)
    await trained(rows, one, 0.9)
    blocked = await trained(rows, other, 0.1)
    await rows(
        "INSERT INTO training_blocks (tenant_id, row_id, operation_id, blocked_by)"
        " VALUES ('acme', $1, $2, 'test')",
        *(blocked, other),
    )
    found = (await alone.viewer.get(SUMMARY)).json()
    assert found["groups"] == 2
    assert (found["total"]["count"], found["total"]["voters"]) == (3, 1)
    a, b = (item(found, model_id=f"model-{name}") for name in "ab")
    assert (a["count"], a["comments"], a["voters"]) == (1, 1, 1)
    assert (a["rating"]["value"], a["rating"]["count"]) == (5, 1)
    assert a["sentiment"]["negative"]["value"] == 0
    assert a["sentiment"]["negative"]["high"] > 0.5
    assert a["from_comment"] == {"helpful": 0, "accurate": 1, "relevant": 0, "fast": 0}
    assert a["quality"] == {"value": 0.9, "low": None, "high": None, "count": 1}
    assert (b["count"], b["comments"], b["conflicts"]) == (2, 0, 1)
    assert b["sentiment"]["abstained"]["value"] == 0.5
    assert b["aspects"]["helpful"]["value"] == 0
    assert b["aspects"]["accurate"] == NOTHING
    assert b["quality"] == NOTHING  # blocked

    async def by(name: str, **query: str) -> Any:
        answer = await alone.viewer.get(SUMMARY, params={"by": name, **query})
        assert answer.status_code == 200, answer.text
        return answer.json()

    agents = await by("agent")
    assert {one["group"]["agent_id"] for one in agents["items"]} == {"planner", None}
    versions = await by("version")
    assert item(versions, model_id="model-b", model_version="2")["count"] == 2
    assert item(await by("source"), source="reviewer")["count"] == 1
    aspects = await by("aspect")
    assert {one["group"]["aspect"]: one["count"] for one in aspects["items"]} == {
        "accurate": 1,
        "helpful": 1,
    }
    assert aspects["total"]["count"] == 3
    assert (await by("model", model_id="model-a"))["total"]["count"] == 1
    assert (await by("model", source="reviewer"))["total"]["count"] == 1
    assert (await by("model", agent_id="planner"))["total"]["count"] == 1
    assert (await by("model", environment="staging"))["total"]["count"] == 0
    early = (NOW - 90 * HOUR).isoformat(), (NOW - 2.5 * HOUR).isoformat()
    assert (await by("model", **dict(zip(("from", "to"), early, strict=True))))["items"] == []


async def test_feedback_that_waits_is_counted_and_advised_of(alone: Alone) -> None:
    late = await operated(alone.rows, found_at=None, first_at=NOW - 30 * HOUR)
    soon = await operated(alone.rows, found_at=None, first_at=NOW - HOUR)
    for operation_id, count in ((late, 2), (soon, 1)):
        for _ in range(count):
            await said(alone.rows, operation_id, NOW - HOUR, rating=3, label="neutral")
    waiting = (await alone.viewer.get(SUMMARY)).json()["waiting"]
    assert (waiting["feedback"], waiting["operations"]) == (3, 2)
    assert waiting["operations_over_24h"] == 1
    assert datetime.fromisoformat(waiting["oldest_at"]) == NOW - 30 * HOUR
    (advice,) = (await alone.viewer.get(ADVICE, params=ANEW)).json()["items"]
    SummaryAnswer.model_validate((await alone.viewer.get(SUMMARY)).json())
    assert advice["kind"] == "operations_missing"
    assert "1 operation has feedback" in advice["sentence"]
    filtered = await alone.viewer.get(ADVICE, params=ANEW | {"model_id": "model-a"})
    assert filtered.json()["items"] == []


def thumbs(good: int, of: int, **more: Any) -> list[dict[str, Any]]:
    return [
        {"accurate": number < good, "user_pseudonym": f"u{number}"} | more for number in range(of)
    ]


async def test_a_worse_model_is_advised_against_with_its_theme(alone: Alone) -> None:
    rows, at = alone.rows, NOW - 20 * HOUR
    await judged(rows, thumbs(50, 60), at, operation_type="budget")
    await judged(rows, thumbs(20, 60), at, operation_type="budget", model_id="model-b")
    for number in range(20):
        text = "outdated figures, ask jane.doe@example.com" if number < 12 else f"no {number}"
        operation_id = await operated(rows, model_id="model-b", operation_type="budget")
        await said(rows, operation_id, NOW - HOUR, text, label="negative", rating=2)
    for model, count in (("model-a", 300), ("model-b", 100)):
        await rows(
            """
            INSERT INTO operation_rollup_minute (tenant_id, minute, model_id, environment,
                                                 operation_type, variant, topic, partition, n)
            VALUES ('acme', $1, $2, 'production', 'budget', '', 't', 0, $3)
            """,
            *(NOW - HOUR, model, count),
        )
    found = (await alone.viewer.get(ADVICE, params=ANEW)).json()
    advice = next(one for one in found["items"] if one["kind"] == "model_behind")
    assert (advice["model_id"], advice["operation_type"]) == ("model-b", "budget")
    assert "accuracy 0.33" in advice["sentence"]
    assert "against 0.83 of model-a" in advice["sentence"]
    assert "% of 20 negative comments say" in advice["sentence"]
    assert advice["evidence"]["share"] == 0.25
    assert advice["expected_effect"] == pytest.approx(0.125)
    (theme,) = found["themes"]["items"]
    assert set(theme["words"]) <= {"outdated", "figures", "ask"}
    assert (theme["comments"], theme["share"]["value"]) == (12, 0.6)
    assert theme["share"]["low"] < 0.6 < theme["share"]["high"]
    shown = [one["comment"] for one in theme["examples"]]
    assert shown == ["outdated figures, ask [EMAIL]"] * 3
    assert any(one["kind"] == "theme" for one in found["items"])
    assert (found["reason"], found["age_s"]) == (None, 0)
    Recommendations.model_validate(found)
    # Remembered, and older; whoever asks otherwise gets another answer.
    await forget(rows)
    again = (await alone.viewer.get(ADVICE)).json()
    assert (again["as_of"], again["items"]) == (found["as_of"], found["items"])
    other = (await alone.viewer.get(ADVICE, params={"source": "user"})).json()
    assert other["items"] == []


async def test_a_week_that_fell_is_told_and_days_have_points(alone: Alone) -> None:
    day = timedelta(days=1)
    for back in range(20, 0, -1):
        good = round(9 - 7 * (20 - back) / 19)
        await judged(
            alone.rows,
            [
                {"accurate": one < good, "rating": 3, "user_pseudonym": f"u{back}-{one}"}
                for one in range(10)
            ],
            NOW - back * day + HOUR,
        )
    whole = (await alone.viewer.get(TRENDS, params=ANEW)).json()
    FeedbackTrends.model_validate(whole)
    found = whole["metrics"]
    accurate = found["accurate"]
    assert sum(one["count"] for one in accurate["points"]) == 200
    assert accurate["change"]["significant"] is True
    change = accurate["change"]
    assert change["before"]["count"] == change["after"]["count"] == 70
    assert change["low"] < change["difference"] < change["high"] < 0
    assert accurate["trend"]["direction"] == "falling"
    assert accurate["trend"]["high"] < 0
    assert found["rating"]["trend"]["direction"] == "steady"
    assert found["rating"]["change"]["significant"] is False
    assert found["helpful"]["trend"]["direction"] == "unknown"


async def test_two_tenants_never_mix(alone: Alone) -> None:
    for tenant, good in (("acme", 5), ("globex", 25)):
        await judged(alone.rows, thumbs(good, 30), NOW - 2 * HOUR, tenant_id=tenant)
    mine, theirs = [
        (await one.get(SUMMARY)).json()["total"]["aspects"]["accurate"]
        for one in (alone.viewer, alone.stranger)
    ]
    assert (mine["value"], mine["count"]) == (pytest.approx(5 / 30), 30)
    assert (theirs["value"], theirs["count"]) == (pytest.approx(25 / 30), 30)
    for client in (alone.viewer, alone.stranger):
        assert (await client.get(ADVICE, params=ANEW)).json()["feedback"] == 30


async def test_without_texts_there_are_no_themes_and_it_is_said(alone: Alone) -> None:
    await judged(alone.rows, thumbs(1, 30, label="negative"), NOW - 2 * HOUR)
    await alone.rows("UPDATE tenants SET content_free = true WHERE tenant_id = 'acme'")
    try:
        themes = (await alone.viewer.get(ADVICE, params=ANEW)).json()["themes"]
    finally:
        await alone.rows("UPDATE tenants SET content_free = false WHERE tenant_id = 'acme'")
    assert themes["items"] == []
    assert "texts are not kept" in themes["reason"]


@pytest.mark.parametrize("path", [SUMMARY, TRENDS, ADVICE])
async def test_who_may_not_or_asks_wrongly_is_told_so(alone: Alone, path: str) -> None:
    assert (await alone.agent.get(path)).status_code == 403
    assert (await alone.viewer.get(path, headers={"Authorization": ""})).status_code == 401
    wrong = [
        {"source": "nobody"},
        {"modell_id": "x"},
        {"from": "2026-01-01T00:00:00Z", "to": "2026-05-01T00:00:00Z"},
        {"from": "2026-05-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
        {"to": "0001-01-01T00:00:00Z"},
        {"from": "0001-01-01T00:00:00Z", "to": "0001-01-05T00:00:00Z"},
    ]
    for query in wrong:
        answer = await alone.viewer.get(path, params=query)
        assert answer.status_code == 422, (query, answer.text)
        assert answer.json()["errors"]
    assert (await alone.without_redis.get(path)).status_code == 200


async def test_more_than_can_be_summed_in_time_is_the_askers_to_narrow(
    alone: Alone, database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "STATEMENT_TIMEOUT", "SET LOCAL statement_timeout = '100ms'")
    connection = await asyncpg.connect(database_dsn)
    async with connection.transaction():
        await connection.execute("LOCK TABLE feedback_analysis")
        answer = await alone.viewer.get(SUMMARY)
    await connection.close()
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/from"
    assert (await alone.viewer.get(SUMMARY)).status_code == 200
