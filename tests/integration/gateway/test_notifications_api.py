"""Channels and silences over HTTP: made, tested, listed, removed, refused, and whose they are."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from tests.integration.gateway.callers import Clients, fields
from tests.support.experiments import body as ab_test
from tests.support.waiting import eventually

CHANNELS, SILENCES = "/ai/notification-channels", "/ai/silences"
SECRET = "whsec_" + b64encode(b"only for tests, long enough").decode()
WEBHOOK = {"type": "webhook", "url": "https://hooks.example.invalid/assay", "secret": SECRET}


def hence(**more: float) -> str:
    return (datetime.now(UTC) + timedelta(**more)).isoformat()


async def made(clients: Clients, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await clients.admin.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def channel(clients: Clients, **changes: Any) -> dict[str, Any]:
    body = WEBHOOK | {"name": uuid4().hex} | changes
    return await made(clients, CHANNELS, {k: v for k, v in body.items() if v is not None})


async def test_a_channel_is_kept_and_its_secret_never_answered(clients: Clients) -> None:
    one = await channel(clients, name="ops")
    assert (one["type"], one["url"], one["send_resolved"]) == ("webhook", WEBHOOK["url"], True)
    assert one["created_by"].startswith("key:")
    path = f"{CHANNELS}/{one['id']}"
    shown = await clients.viewer.get(path)
    assert shown.json() == one
    listed = await clients.viewer.get(f"{CHANNELS}?limit=1000")
    assert one in listed.json()["items"]
    for text in (shown.text, listed.text):
        assert "secret" not in text
        assert SECRET not in text
    assert (await clients.admin.delete(path)).status_code == 204
    assert (await clients.viewer.get(path)).status_code == 404
    assert (await clients.admin.delete(path)).status_code == 404


async def test_the_gateways_role_cannot_read_a_secret(clients: Clients, database_dsn: str) -> None:
    await channel(clients)
    connection = await asyncpg.connect(database_dsn)
    try:
        async with connection.transaction():
            await connection.execute("SET LOCAL ROLE svc_api")
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetch("SELECT secret FROM notification_channels")
    finally:
        await connection.close()


async def test_slacks_url_is_whole_only_for_who_may_write(clients: Clients) -> None:
    url = "https://hooks.slack.example.invalid/services/T0/B0/token"
    one = await channel(clients, type="slack", url=url, secret=None)
    path = f"{CHANNELS}/{one['id']}"
    assert (await clients.admin.get(path)).json()["url"] == url
    assert "token" not in (await clients.viewer.get(path)).text
    assert "B0/token" not in (await clients.viewer.get(f"{CHANNELS}?limit=1000")).text


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"url": "https://127.0.0.1/hook"}, "/url"),
        ({"url": "https://localhost:9200"}, "/url"),
        ({"url": "https://[::ffff:10.0.0.1]/"}, "/url"),
        ({"url": "https://169.254.169.254/latest"}, "/url"),
        ({"url": "http://93.184.216.34/hook"}, "/url"),
        ({"url": "https://user:pass@example.com"}, "/url"),
        ({"url": None}, ""),
        ({"type": "pigeon"}, "/type"),
        ({"secret": "short"}, ""),
        ({"name": ""}, "/name"),
        ({"color": "red"}, "/color"),
    ],
)
async def test_a_channel_that_leads_nowhere_good_is_refused(
    clients: Clients, changes: dict[str, Any], pointer: str
) -> None:
    body = {k: v for k, v in (WEBHOOK | {"name": "bad"} | changes).items() if v is not None}
    answer = await clients.admin.post(CHANNELS, json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_a_test_says_what_came_of_it(clients: Clients, database_dsn: str) -> None:
    async def notify_is_there() -> bool:
        return "notify" not in (await clients.admin.get("/ai/system")).json()["missing"]

    # Until then a test waits, and is answered as pending.
    await eventually(notify_is_there, why="notify is there", deadline_s=60)
    one = await channel(clients)
    found = (await clients.admin.post(f"{CHANNELS}/{one['id']}/test")).json()
    assert (found["kind"], found["state"], found["attempts"]) == ("test", "failed", 1)
    assert "no address" in found["reason"]
    log = (await clients.viewer.get(f"{CHANNELS}/{one['id']}/deliveries")).json()["items"]
    assert log == [found]
    # What was public when the channel was made may lead inside when something is sent.
    connection = await asyncpg.connect(database_dsn)
    await connection.execute(
        "UPDATE notification_channels SET url = 'https://127.0.0.1:1/' WHERE channel_id = $1",
        one["id"],
    )
    await connection.close()
    again = (await clients.admin.post(f"{CHANNELS}/{one['id']}/test")).json()
    assert (again["state"], "private" in again["reason"]) == ("failed", True)


async def test_a_rule_names_channels_that_exist(clients: Clients) -> None:
    one = await channel(clients)
    rule = {"metric": "error_rate", "operator": ">", "warning": 0.2, "enabled": False}
    kept = await made(
        clients, "/ai/alert-rules", rule | {"name": "to ops", "channels": [one["id"]]}
    )
    assert kept["channels"] == [one["id"]]
    foreign = await clients.stranger.post(
        "/ai/alert-rules", json=rule | {"name": "spy", "channels": [one["id"]]}
    )
    assert foreign.status_code == 422
    assert foreign.json()["errors"][0]["pointer"] == "/channels"


async def test_a_silence_is_kept_and_says_what_it_holds(clients: Clients) -> None:
    body = {"matchers": {"model_id": "gpt"}, "ends_at": hence(hours=1), "comment": "load test"}
    one = await made(clients, SILENCES, body)
    assert (one["matchers"], one["comment"]) == (body["matchers"], "load test")
    assert datetime.fromisoformat(one["starts_at"]) <= datetime.now(UTC)
    path = f"{SILENCES}/{one['id']}"
    assert (await clients.viewer.get(path)).json() == one
    assert one in (await clients.viewer.get(SILENCES)).json()["items"]
    assert (await clients.admin.delete(path)).status_code == 204
    assert (await clients.viewer.get(path)).status_code == 404


async def test_a_silences_test_shows_the_live_alerts_that_it_matches(clients: Clients) -> None:
    for model in ("loud", "quiet"):
        events = [
            fields(n, model_id=model, success=False, error_type=None)
            for n in range(7_000 if model == "loud" else 7_100, 7_040 if model == "loud" else 7_140)
        ]
        assert (await clients.agent.post("/ai/operations/log", json=events)).status_code == 202
    rule = {"metric": "error_rate", "operator": ">", "warning": 0.2}
    await made(clients, "/ai/alert-rules", rule | {"name": "for silences"})
    one = await made(
        clients, SILENCES, {"matchers": {"model_id": "loud"}, "ends_at": hence(hours=1)}
    )

    async def matched() -> Any:
        found = (await clients.admin.post(f"{SILENCES}/{one['id']}/test")).json()["matches"]
        return found or None

    found = await eventually(matched, why="the alert is matched", deadline_s=30)
    assert {alert["model_id"] for alert in found} == {"loud"}


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"ends_at": hence(hours=-1)}, "/ends_at"),
        ({"starts_at": hence(hours=2)}, "/ends_at"),
        ({"ends_at": hence(days=400)}, "/ends_at"),
        ({"ends_at": "tomorrow"}, "/ends_at"),
        ({"matchers": {}}, "/matchers"),
        ({"matchers": {"model_id": 1}}, "/matchers/model_id"),
        ({"until": hence(hours=1)}, "/until"),
    ],
)
async def test_a_silence_that_makes_no_sense_is_refused(
    clients: Clients, changes: dict[str, Any], pointer: str
) -> None:
    body = {"matchers": {"model_id": "gpt"}, "ends_at": hence(hours=1)} | changes
    answer = await clients.admin.post(SILENCES, json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_a_repeat_with_the_same_key_makes_nothing_new(clients: Clients) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    body = {"matchers": {"model_id": "once"}, "ends_at": hence(hours=1)}
    first = await clients.admin.post(SILENCES, json=body, headers=key)
    again = await clients.admin.post(SILENCES, json=body, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    other = await clients.admin.post(SILENCES, json=body | {"comment": "x"}, headers=key)
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-reuse")
    # The same key for another kind of thing is another key.
    kept = await clients.admin.post(CHANNELS, json=WEBHOOK | {"name": uuid4().hex}, headers=key)
    assert kept.status_code == 201


async def test_nobody_reaches_over_to_another_tenant(clients: Clients) -> None:
    one = await channel(clients)
    silence = await made(
        clients, SILENCES, {"matchers": {"model_id": "gpt"}, "ends_at": hence(hours=1)}
    )
    for path in (f"{CHANNELS}/{one['id']}", f"{SILENCES}/{silence['id']}"):
        for answer in (
            await clients.stranger.get(path),
            await clients.stranger.delete(path),
            await clients.stranger.post(f"{path}/test"),
        ):
            assert answer.status_code == 404
        assert (await clients.viewer.get(path)).status_code == 200
    assert (await clients.stranger.get(f"{CHANNELS}/{one['id']}/deliveries")).status_code == 404
    for path in (CHANNELS, SILENCES):
        assert (await clients.stranger.get(path)).json()["items"] == []
        assert (await clients.viewer.post(path, json={})).status_code == 403
        assert (await clients.agent.get(path)).status_code == 403
        assert (await clients.nobody.get(path)).status_code == 401


async def test_the_log_names_the_ab_test_that_a_channel_was_told_of(clients: Clients) -> None:
    one = await channel(clients)
    test = await made(clients, "/ai/ab-tests", ab_test(key=f"told-{uuid4()}"))
    assert (await clients.admin.post(f"/ai/ab-tests/{test['id']}/start")).status_code == 200
    log: list[dict[str, Any]] = []

    async def logged() -> bool:
        answer = await clients.viewer.get(f"{CHANNELS}/{one['id']}/deliveries")
        log[:] = [at for at in answer.json()["items"] if at["test_id"] == test["id"]]
        return bool(log)

    await eventually(logged, why="the start is told")
    assert (log[0]["kind"], log[0]["told"]) == ("experiment", "running")
    assert (log[0]["alert_id"], log[0]["alert_state"], log[0]["step"]) == (None, None, None)
