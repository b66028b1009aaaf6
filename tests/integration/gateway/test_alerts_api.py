"""Alert rules and alerts over HTTP: made, tested, fired, taken, ended, and whose they are."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.metrics import ticker
from shared.alerts.looking import past_hour
from shared.clock import utc_now
from tests.integration.gateway.callers import Clients, fields
from tests.support.events import operation
from tests.support.waiting import eventually

PAST = {
    "operator": None,
    "warning": None,
    "baseline": {"kind": "same_hour_last_week", "delta": 0.1},
}
RULE = {"name": "errors", "metric": "error_rate", "operator": ">", "warning": 0.2}


SENT: Counter[str] = Counter()
"""Operations of each model that were logged as of now."""


@pytest.fixture(scope="module", autouse=True)
def _often() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ticker, "JUDGE_EVERY_S", 0.2)
        yield


async def logged(
    clients: Clients, model: str, first: int, *, success: bool, count: int = 40, **named: Any
) -> None:
    """Operations of a model, logged, stored and counted: an alert sees all of them."""
    events = [
        fields(n, model_id=model, success=success, error_type=None, **named)
        for n in range(first, first + count)
    ]
    await stored(clients, model, events)
    SENT[model] += count

    async def counted() -> bool:
        live = await clients.viewer.get(f"/ai/metrics/{model}")
        return live.status_code == 200 and live.json()["sample"] >= SENT[model]

    await eventually(counted, why=f"operations of {model} are counted", deadline_s=30)


async def stored(clients: Clients, model: str, events: list[dict[str, Any]]) -> None:
    """Log operations of a model, and wait until they can be read."""
    answer = await clients.agent.post("/ai/operations/log", json=events)
    assert answer.json()["accepted"] == len(events), answer.text
    ids = {event["operation_id"] for event in events}

    async def read() -> bool:
        query = {"model_id": model, "limit": 1_000}
        found = (await clients.viewer.get("/ai/operations", params=query)).json()["items"]
        return ids <= {one["operation_id"] for one in found}

    await eventually(read, why=f"operations of {model} are stored", deadline_s=30)


async def made(clients: Clients, **changes: Any) -> dict[str, Any]:
    answer = await clients.admin.post("/ai/alert-rules", json=RULE | changes)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def alert_of(clients: Clients, rule: dict[str, Any], state: str) -> dict[str, Any]:
    async def found() -> Any:
        query = {"rule_id": rule["id"], "state": state}
        items = (await clients.viewer.get("/ai/alerts", params=query)).json()["items"]
        return items[0] if items else None

    return dict(
        await eventually(found, why=f"an alert of {rule['name']} is {state}", deadline_s=30)
    )


async def test_a_rule_is_kept_as_it_was_sent(clients: Clients) -> None:
    rule = await made(clients, name="kept", labels={"team": "search"}, hold_for_s=60)
    assert rule.items() >= (RULE | {"name": "kept", "labels": {"team": "search"}}).items()
    assert (rule["window"], rule["group_by"]) == ("1h", ["model_id", "environment"])
    assert rule["created_by"].startswith("key:")
    path = f"/ai/alert-rules/{rule['id']}"
    assert (await clients.viewer.get(path)).json() == rule
    assert rule in (await clients.viewer.get("/ai/alert-rules?limit=1000")).json()["items"]
    changed = await clients.admin.put(path, json=RULE | {"name": "kept", "warning": 0.3})
    assert (changed.status_code, changed.json()["warning"]) == (200, 0.3)
    assert (await clients.admin.delete(path)).status_code == 204
    assert (await clients.viewer.get(path)).status_code == 404
    assert (await clients.admin.delete(path)).status_code == 404


async def test_pages_follow_each_other(clients: Clients) -> None:
    names = [f"page {n}" for n in range(5)]
    for name in names:
        await made(clients, name=name)
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = (await clients.viewer.get(f"/ai/alert-rules?limit=2{cursor}")).json()
        seen += [one["name"] for one in page["items"]]
        following = page["next_cursor"]
        cursor = f"&cursor={following}" if following else None
    assert [name for name in seen if name.startswith("page")] == names[::-1]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"metric": "nonsense"}, "/metric"),
        ({"window": "2h"}, "/window"),
        ({"warning": 7}, ""),
        ({"filter": {"model_id": "never-sent"}}, "/filter"),
        ({"channels": ["0192f0c0-0000-7000-8000-000000000001"]}, "/channels"),
        ({"treshold": 1}, "/treshold"),
        (PAST | {"window": "24h"}, "/window"),
        ({"filter": {"agent_id": "never-seen"}}, "/filter"),
        ({"filter": {"agent_id": "a"}, "window": "7d"}, ""),
    ],
)
async def test_a_rule_that_makes_no_sense_is_refused(
    clients: Clients, changes: dict[str, Any], pointer: str
) -> None:
    answer = await clients.admin.post("/ai/alert-rules", json=RULE | {"name": "bad"} | changes)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_what_is_no_rule_at_all_is_refused(clients: Clients) -> None:
    await made(clients, name="twice")
    again = await clients.admin.post("/ai/alert-rules", json=RULE | {"name": "twice"})
    assert (again.status_code, again.json()["errors"][0]["pointer"]) == (422, "/name")
    text = await clients.admin.post(
        "/ai/alert-rules", content=b"{", headers={"content-type": "application/json"}
    )
    assert text.status_code == 400
    form = await clients.admin.post("/ai/alert-rules", data={"name": "x"})
    assert form.status_code == 415


async def test_an_alert_fires_is_taken_and_ends(clients: Clients) -> None:
    await logged(clients, "bad-model", 2_000, success=False)
    rule = await made(clients, name="bad model", filter={"model_id": "bad-model"})
    alert = await alert_of(clients, rule, "firing")
    assert (alert["rule_id"], alert["severity"], alert["sample"]) == (rule["id"], "warning", 40)
    assert (alert["value"], alert["threshold"], alert["window"]) == (1.0, 0.2, "1h")
    assert alert["interval"]["low"] > 0.2
    tested = (await clients.admin.post(f"/ai/alert-rules/{rule['id']}/test")).json()
    (group,) = tested["groups"]
    assert (group["would"], group["severity"], group["sample"]) == ("fire", "warning", 40)
    path = f"/ai/alerts/{alert['id']}"
    taken = await clients.admin.post(f"{path}/acknowledge", json={"note": "on it"})
    assert (taken.status_code, taken.json()["state"]) == (200, "acknowledged")
    await alert_of(clients, rule, "acknowledged")
    await logged(clients, "bad-model", 3_000, success=True, count=500)
    await alert_of(clients, rule, "resolved")
    whole = (await clients.viewer.get(path)).json()
    states = [step["state"] for step in whole["history"]]
    assert states == ["pending", "firing", "acknowledged", "resolved"]
    assert whole["history"][2]["note"] == "on it"
    assert whole["history"][2]["actor"].startswith("key:")
    for action in ("resolve", "acknowledge"):
        assert (await clients.admin.post(f"{path}/{action}", json={})).status_code == 409


async def sent_last_week(clients: Clients, model: str, first: int) -> None:
    """A tenth is bad in the same hour last week and, if the hour turns, the next; all, before."""
    begin = datetime.fromtimestamp(past_hour(utc_now().timestamp())[0], UTC)
    for after, bad in ((-1, 100), (1, 10), (61, 10)):
        at = (begin + timedelta(minutes=after)).isoformat()
        events = [
            operation(first + n, occurred_at=at, model_id=model, success=n >= bad, error_type=None)
            for n in range(100)
        ]
        for event in events:
            del event["tenant_id"]
        first += 100
        await stored(clients, model, events)


async def test_a_rule_compares_with_last_week_live_and_when_it_is_tested(clients: Clients) -> None:
    await sent_last_week(clients, "weekly", 6_000)
    await logged(clients, "weekly", 7_000, success=False)
    rule = await made(clients, **PAST, name="weekly", filter={"model_id": "weekly"})
    alert = await alert_of(clients, rule, "firing")
    assert (alert["severity"], alert["sample"], alert["value"]) == ("warning", 40, 1.0)
    assert alert["threshold"] == pytest.approx(0.2)
    assert "it was 0.1 in the same hour last week: surely worse by more than 0.1" in alert["reason"]
    await would_fire(clients, rule, alert)


async def would_fire(clients: Clients, rule: dict[str, Any], alert: dict[str, Any]) -> None:
    """A test of the rule sees what the alert says."""

    async def tested() -> Any:
        (group,) = (await clients.admin.post(f"/ai/alert-rules/{rule['id']}/test")).json()["groups"]
        return group if group["would"] == "fire" and group["sample"] == alert["sample"] else None

    group = await eventually(tested, why="it would fire", deadline_s=30)
    for name in ("severity", "value", "threshold", "interval", "sample", "window", "reason"):
        assert group[name] == alert[name], name


async def test_a_rule_looks_at_one_agent_live_and_when_it_is_tested(clients: Clients) -> None:
    await logged(clients, "shared", 8_000, success=True, count=400, agent_id="well")
    well = {"model_id": "shared", "agent_id": "well"}
    rule = await made(clients, name="one agent", filter=well)
    await logged(clients, "shared", 8_500, success=False, agent_id="ill")
    changed = RULE | {"name": "one agent", "filter": well | {"agent_id": "ill"}}
    answer = await clients.admin.put(f"/ai/alert-rules/{rule['id']}", json=changed)
    assert answer.status_code == 200, answer.text
    alert = await alert_of(clients, rule, "firing")
    assert (alert["model_id"], alert["value"], alert["sample"]) == ("shared", 1.0, 40)
    await would_fire(clients, rule, alert)
    await logged(clients, "shared", 9_000, success=True, count=500, agent_id="ill")
    await alert_of(clients, rule, "resolved")


async def test_a_rule_compares_versions_live_and_when_it_is_tested(clients: Clients) -> None:
    past = (utc_now() - timedelta(hours=2)).isoformat()
    before = [
        operation(n, occurred_at=past, model_id="new", model_version="v1", success=n % 10 > 0)
        for n in range(60_000, 60_100)
    ]
    for event in before:
        del event["tenant_id"]
        event["error_type"] = None
    await stored(clients, "new", before)
    await logged(clients, "new", 61_000, success=False, model_version="v2")
    baseline = {"kind": "previous_version", "delta": 0.1}
    rule = await made(
        clients, **PAST | {"baseline": baseline}, name="new", filter={"model_id": "new"}
    )
    alert = await alert_of(clients, rule, "firing")
    assert (alert["severity"], alert["sample"], alert["value"]) == ("warning", 40, 1.0)
    assert alert["threshold"] == pytest.approx(0.2)
    assert alert["reason"].startswith("Version v2 after v1: error_rate over 1h is 1, it was 0.1")
    await would_fire(clients, rule, alert)


async def test_somebody_ends_an_alert(clients: Clients) -> None:
    await logged(clients, "ended", 4_000, success=False)
    rule = await made(clients, name="ended", filter={"model_id": "ended"})
    alert = await alert_of(clients, rule, "firing")
    wrong = await clients.admin.post(
        f"/ai/alerts/{alert['id']}/acknowledge", json={"until": "2020-01-01T00:00:00Z"}
    )
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/until")
    done = await clients.admin.post(f"/ai/alerts/{alert['id']}/resolve", json={"note": "known"})
    assert (done.status_code, done.json()["state"]) == (200, "resolved")

    async def ended() -> bool:
        return bool((await clients.viewer.get(f"/ai/alerts/{alert['id']}")).json()["resolved_at"])

    await eventually(ended, why="the step is stored", deadline_s=30)
    await clients.admin.delete(f"/ai/alert-rules/{rule['id']}")


async def test_other_tenants_and_roles_have_no_part_in_it(clients: Clients) -> None:
    rule = await made(clients, name="ours")
    path = f"/ai/alert-rules/{rule['id']}"
    assert (await clients.stranger.get(path)).status_code == 404
    assert (await clients.stranger.put(path, json=RULE)).status_code == 404
    assert (await clients.stranger.delete(path)).status_code == 404
    assert (await clients.stranger.post(f"{path}/test")).status_code == 404
    assert (await clients.stranger.get("/ai/alerts")).json()["items"] == []
    alert = (await clients.admin.get("/ai/alerts")).json()["items"][0]
    for action in ("resolve", "acknowledge"):
        answer = await clients.stranger.post(f"/ai/alerts/{alert['id']}/{action}", json={})
        assert answer.status_code == 404
    assert (await clients.viewer.post("/ai/alert-rules", json=RULE)).status_code == 403
    assert (await clients.agent.get("/ai/alerts")).status_code == 403
    assert (await clients.nobody.get("/ai/alerts")).status_code == 401
