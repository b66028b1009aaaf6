"""How a model is and how it was, over HTTP: ready, judged anew, and whose it is."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from shared import keys
from shared.views import Health, PartStatus, StatusView
from tests.integration.gateway.callers import Alone

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PARTITIONS = 6
MINUTE = """
    INSERT INTO operation_rollup_minute (tenant_id, minute, model_id, environment, operation_type,
                                         variant, topic, partition, n, ok)
    VALUES ('acme', date_trunc('minute', now()), $1, $2, $3, '', 't', 0, $4, $5)
"""
CHANGE = """
    INSERT INTO model_status_changes (tenant_id, change_id, model_id, environment, operation_type,
                                      at, status, before, reasons, measures)
    VALUES ('acme', $1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
MEASURES = [
    {
        "name": "failures",
        "status": "critical",
        "value": 0.5,
        "low": 0.4,
        "high": 0.6,
        "sample": 100,
        "window": "5m",
        "reason": "Half of them failed.",
    }
]


async def happened(alone: Alone, model: str, part: tuple[str, str], n: int, ok: int) -> None:
    """Operations of this minute."""
    await alone.rows(MINUTE, model, *part, n, ok)


async def changed(
    alone: Alone,
    model: str,
    part: tuple[str | None, str | None],
    minute: int,
    status: str = "critical",
) -> None:
    """A change of status, so many minutes after noon."""
    at = NOON + timedelta(minutes=minute)
    said = ("good", json.dumps(["Half of them failed."]), json.dumps(MEASURES))
    await alone.rows(CHANGE, UUID(int=minute), model, *part, at, status, *said)


async def made_ready(alone: Alone, view: StatusView) -> None:
    """A status as metrics keeps it."""
    name = keys.view("acme", view.model_id)
    await alone.redis.hset(name, keys.STATUS_FIELD, view.model_dump_json())
    share = keys.share_of("acme", view.model_id, PARTITIONS)
    await alone.redis.hset(keys.LOOKED, str(share), str(int(NOON.timestamp() * 1000)))


def view_of(model: str, **changes: Any) -> StatusView:
    said: dict[str, Any] = {
        "model_id": model,
        "status": Health.GOOD,
        "since": NOON,
        "reasons": ["All is well."],
        "measures": [],
        "limits": {},
        "parts": [
            PartStatus(
                environment="production",
                operation_type="chat",
                status=Health.GOOD,
                reasons=[],
                measures=[],
            )
        ],
    }
    return StatusView(**said | changes)


@pytest.mark.parametrize("model", ["ready", "org/ready", "ready/status"])
async def test_a_ready_status_is_answered_as_it_is_with_its_age(alone: Alone, model: str) -> None:
    view = view_of(model)
    await made_ready(alone, view)
    answer = (await alone.viewer.get(f"/ai/models/{model}/status")).json()
    assert answer.pop("freshness_ms") > 0
    assert answer.pop("as_of") == "2026-01-01T12:00:00Z"
    assert answer == json.loads(view.model_dump_json())


async def test_a_status_that_is_not_ready_is_judged_from_stored_minutes(alone: Alone) -> None:
    await happened(alone, "minutes", ("production", "chat"), 100, 100)
    await happened(alone, "minutes", ("", "embedding"), 40, 0)
    await changed(alone, "minutes", (None, None), 1)
    await changed(alone, "minutes", ("production", "chat"), 2, "degraded")
    path = "/ai/models/minutes/status"
    answer = (await alone.viewer.get(path)).json()
    assert (answer["status"], answer["stale"]) == ("critical", False)
    assert answer["since"] == "2026-01-01T12:01:00Z"
    assert answer["reasons"] == [
        one["reason"] for one in answer["measures"] if one["status"] == "critical"
    ]
    assert "40 of 140 operations failed" in answer["reasons"][0]
    parts = [(one["environment"], one["operation_type"], one["status"]) for one in answer["parts"]]
    assert parts == [("", "embedding", "critical"), ("production", "chat", "good")]
    # It was entered as something else than it is now: nobody knows since when it is that.
    assert [one["since"] for one in answer["parts"]] == [None, None]
    assert answer["limits"]["failures"] == {"warning": 0.05, "critical": 0.2}
    away = (await alone.without_redis.get(path)).json()
    assert away["stale"] is True
    for name in ("status", "since", "measures", "parts", "limits"):
        assert away[name] == answer[name]


async def test_nobody_hears_of_models_that_are_not_theirs(alone: Alone) -> None:
    await happened(alone, "mine", ("production", "chat"), 30, 30)
    await changed(alone, "mine", (None, None), 3)
    for path in ("/ai/models/mine/status", "/ai/models/mine/status/history"):
        assert (await alone.viewer.get(path)).status_code == 200
        assert (await alone.stranger.get(path)).status_code == 404
        assert (await alone.agent.get(path)).status_code == 403
        unknown = await alone.viewer.get(path.replace("mine", "never-sent"))
        assert unknown.json()["type"] == "/problems/not-found"
        nameless = await alone.viewer.get(path.replace("mine", ""))
        assert nameless.json()["errors"][0]["pointer"] == "/model_id"
    assert (await alone.without_redis.get("/ai/models/never-sent/status")).status_code == 404


async def test_the_history_of_a_model_that_never_changed_is_empty(alone: Alone) -> None:
    await happened(alone, "steady", ("production", "chat"), 30, 30)
    found = (await alone.viewer.get("/ai/models/steady/status/history")).json()
    assert found == {"items": [], "next_cursor": None}


@pytest.fixture(scope="module")
async def _was(alone: Alone) -> None:
    for minute, part in enumerate(
        [
            (None, None),
            ("production", "chat"),
            ("production", "embedding"),
            ("", "chat"),
            (None, None),
        ],
        start=10,
    ):
        await changed(alone, "org/was", part, minute)


@pytest.mark.usefixtures("_was")
@pytest.mark.parametrize(
    ("query", "minutes"),
    [
        ({}, [14, 13, 12, 11, 10]),
        ({"whole": True}, [14, 10]),
        ({"environment": "production"}, [12, 11]),
        ({"environment": ""}, [13]),
        ({"operation_type": "chat"}, [13, 11]),
        ({"environment": "production", "operation_type": "chat"}, [11]),
        ({"from": "2026-01-01T12:11:00Z", "to": "2026-01-01T12:13:00Z"}, [12, 11]),
        ({"environment": "nowhere"}, []),
    ],
)
async def test_a_history_is_told_newest_first_and_by_part(
    alone: Alone, query: dict[str, Any], minutes: list[int]
) -> None:
    found = (await alone.viewer.get("/ai/models/org/was/status/history", params=query)).json()
    times = [datetime.fromisoformat(one["at"]) for one in found["items"]]
    assert times == [NOON + timedelta(minutes=minute) for minute in minutes]
    assert found["next_cursor"] is None


@pytest.mark.usefixtures("_was")
async def test_a_change_says_what_it_was_and_why(alone: Alone) -> None:
    (found,) = (await alone.viewer.get("/ai/models/org/was/status/history?environment=")).json()[
        "items"
    ]
    assert found == {
        "at": "2026-01-01T12:13:00Z",
        "environment": "",
        "operation_type": "chat",
        "status": "critical",
        "before": "good",
        "reasons": ["Half of them failed."],
        "measures": MEASURES,
    }


@pytest.mark.usefixtures("_was")
async def test_pages_of_a_history_follow_each_other(alone: Alone) -> None:
    query: dict[str, Any] = {"limit": 2}
    seen: list[str] = []
    sizes = []
    while query.get("cursor", "") is not None:
        page = (await alone.viewer.get("/ai/models/org/was/status/history", params=query)).json()
        seen += [one["at"] for one in page["items"]]
        sizes.append(len(page["items"]))
        query["cursor"] = page["next_cursor"]
    assert sizes == [2, 2, 1]
    assert seen == sorted(set(seen), reverse=True)


@pytest.mark.usefixtures("_was")
@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("whole=true&environment=production", "/whole"),
        ("whole=true&operation_type=chat", "/whole"),
        ("cursor=nonsense", "/cursor"),
        ("limit=1001", "/limit"),
        ("from=yesterday", "/from"),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(
    alone: Alone, query: str, pointer: str
) -> None:
    answer = await alone.viewer.get(f"/ai/models/org/was/status/history?{query}")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
