"""A/B tests over HTTP: configured, begun, changed, ended, and units that keep their variants."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from assay_sdk import Experiment, assign
from services.gateway.service import experimenting as service
from services.gateway.service import known_tests
from tests.integration.gateway.callers import Alone
from tests.support.experiments import body, weighted
from tests.support.waiting import eventually

ALL = "/ai/ab-tests"
NOT_EXPOSED = {"expose": "false"}


def fresh(**changes: Any) -> dict[str, Any]:
    """A configuration under a key of its own."""
    return body(**{"key": f"test-{uuid4()}"} | changes)


async def made(alone: Alone, **changes: Any) -> dict[str, Any]:
    answer = await alone.admin.post(ALL, json=fresh(**changes))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def after(alone: Alone, test: dict[str, Any], action: str, **note: str) -> dict[str, Any]:
    answer = await alone.admin.post(f"{ALL}/{test['id']}/{action}", json=note)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def running(alone: Alone, **changes: Any) -> dict[str, Any]:
    return await after(alone, await made(alone, **changes), "start")


async def patched(alone: Alone, test: dict[str, Any], **changes: Any) -> httpx2.Response:
    return await alone.admin.patch(f"{ALL}/{test['id']}", json=changes)


async def placed(client: httpx2.AsyncClient, test: dict[str, Any], unit: str) -> dict[str, Any]:
    asked = NOT_EXPOSED | {"user_id": unit}
    answer = await client.get(f"{ALL}/{test['id']}/assignment", params=asked)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_test_is_made_as_a_draft_and_echoed_with_its_defaults(alone: Alone) -> None:
    sent = fresh(traffic=0.5, planned_units=4000, exclusion_group="g")
    made = (await alone.admin.post(ALL, json=sent)).json()
    for name, value in sent.items():
        if name not in {"variants", "metrics"}:
            assert made[name] == value
    assert [one["weight"] for one in made["variants"]] == [0.5, 0.5]
    assert (made["state"], made["epochs"], made["alpha"]) == ("draft", [], 0.05)
    assert made["created_by"].startswith("key:")
    whole = (await alone.viewer.get(f"{ALL}/{made['id']}")).json()
    assert whole == made | {"history": []}


async def test_tests_are_listed_newest_first_in_pages(alone: Alone) -> None:
    ids = [(await made(alone))["id"] for _ in range(3)]
    page = (await alone.viewer.get(ALL, params={"limit": 2})).json()
    assert [one["id"] for one in page["items"]] == ids[:0:-1]
    rest = (await alone.viewer.get(ALL, params={"limit": 1, "cursor": page["next_cursor"]})).json()
    assert [one["id"] for one in rest["items"]] == ids[:1]


async def test_tests_are_listed_by_state_also_by_several(alone: Alone) -> None:
    runs, draft, ended = await running(alone), await made(alone), await running(alone)
    await after(alone, ended, "stop")

    async def listed(*states: str, **more: Any) -> Any:
        asked = {"state": list(states), "limit": 1000, **more}
        return (await alone.viewer.get(ALL, params=asked)).json()

    ids = {test["id"] for test in (runs, draft, ended)}
    for states, expected in (
        (("running",), [runs]),
        (("draft", "stopped"), [ended, draft]),
        ((), [ended, draft, runs]),
    ):
        items = (await listed(*states))["items"]
        found = [one["id"] for one in items if one["id"] in ids]
        assert found == [test["id"] for test in expected]
        assert not states or {one["state"] for one in items} <= set(states)
    page = await listed("draft", "stopped", limit=1)
    assert page["items"][0]["id"] == ended["id"]
    rest = await listed("draft", "stopped", limit=1, cursor=page["next_cursor"])
    assert rest["items"][0]["id"] == draft["id"]
    assert (await alone.viewer.get(f"{ALL}?state=running")).status_code == 200
    wrong = await alone.viewer.get(f"{ALL}?state=runing")
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/state/0")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"variants": weighted(a=0.5, b=0.6)}, "/variants"),
        ({"variants": weighted(a=1, b=0)}, "/variants"),
        ({"variants": weighted(a=1)}, "/variants"),
        ({"metrics": []}, "/metrics"),
        ({"metrics": [{"name": "success_rate", "role": "guardrail"}]}, "/metrics"),
        ({"variants": weighted(a=0.99996, b=0.00004)}, "/variants"),
        ({"traffic": 2}, "/traffic"),
        ({"traffic": 0.00004}, "/traffic"),
        ({"alpha": 1.0}, "/alpha"),
        ({"unit": "trace_id"}, "/unit"),
        ({"key": "a\x1fb"}, "/key"),
        ({"name": "a\x00b"}, "/name"),
        ({"surprise": 1}, "/surprise"),
    ],
)
async def test_a_wrong_configuration_is_refused_and_its_field_named(
    alone: Alone, changes: dict[str, Any], pointer: str
) -> None:
    answer = await alone.admin.post(ALL, json=fresh(**changes))
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_a_key_is_the_tenants_only_one(alone: Alone) -> None:
    test = await made(alone)
    again = await alone.admin.post(ALL, json=fresh(key=test["key"]))
    assert (again.status_code, again.json()["errors"][0]["pointer"]) == (422, "/key")
    other = await made(alone)
    assert (await patched(alone, other, key=test["key"])).status_code == 422
    assert (await alone.stranger.post(ALL, json=fresh(key=test["key"]))).status_code == 201


async def test_a_repeat_under_an_idempotency_key_makes_one_test(alone: Alone) -> None:
    sent, key = fresh(), {"Idempotency-Key": uuid4().hex}
    first, second = [await alone.admin.post(ALL, json=sent, headers=key) for _ in range(2)]
    assert first.json() == second.json()


async def test_a_life_from_draft_to_stopped_with_its_history(alone: Alone) -> None:
    test = await made(alone)
    for action, state in (("start", "running"), ("pause", "paused"), ("start", "running")):
        told = await after(alone, test, action)
        assert told["state"] == state
    stopped = await after(alone, test, "stop", note="b is dearer")
    assert stopped["ended_at"] > stopped["started_at"]
    history = (await alone.viewer.get(f"{ALL}/{test['id']}")).json()["history"]
    assert [one["state"] for one in history] == ["running", "paused", "running", "stopped"]
    assert history[-1]["reason"] == "b is dearer"
    assert history[0]["actor"] == test["created_by"]


@pytest.mark.parametrize(
    ("steps", "action", "why"),
    [
        ([], "pause", "start it first"),
        ([], "stop", "start it first"),
        (["start"], "start", "runs already"),
        (["start", "pause"], "pause", "paused already"),
        (["start", "stop"], "start", "make a new test"),
        (["start", "stop"], "stop", "make a new test"),
    ],
)
async def test_a_step_that_leads_nowhere_is_a_conflict_that_says_why(
    alone: Alone, steps: list[str], action: str, why: str
) -> None:
    test = await made(alone)
    for step in steps:
        await after(alone, test, step)
    answer = await alone.admin.post(f"{ALL}/{test['id']}/{action}")
    assert (answer.status_code, why in answer.json()["detail"]) == (409, True)


async def test_a_draft_may_be_rewritten_and_null_puts_the_default_back(alone: Alone) -> None:
    test = await made(alone, traffic=0.5, exclusion_group="g")
    changed = await patched(alone, test, key=f"{test['key']}-2", traffic=None, exclusion_group=None)
    assert changed.status_code == 200
    shown = changed.json()
    assert (shown["traffic"], shown["exclusion_group"], shown["epochs"]) == (1.0, None, [])
    wrong = await patched(alone, test, variants=weighted(a=0.5, b=0.1))
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/variants")


async def test_new_weights_make_an_epoch_that_moves_nobody(alone: Alone) -> None:
    test = await running(alone, traffic=0.4, variants=weighted(a=0.5, b=0.5))
    units = [f"user-{number}" for number in range(150)]
    before = {unit: await placed(alone.admin, test, unit) for unit in units}
    refused = await patched(alone, test, variants=weighted(a=0.1, b=0.9))
    assert (refused.status_code, "widen the traffic" in refused.json()["detail"]) == (409, True)
    changed = await patched(alone, test, variants=weighted(a=0.1, b=0.9), traffic=1)
    shown = changed.json()
    assert [one["number"] for one in shown["epochs"]] == [1, 2]
    assert len({one["salt"] for one in shown["epochs"]}) == 2
    now = {unit: await placed(alone.admin, test, unit) for unit in units}
    held = {unit: at for unit, at in before.items() if at["in_test"]}
    assert {unit: now[unit] for unit in held} == held
    assert all(at["in_test"] for at in now.values())
    fresh_ones = [now[unit]["variant"] for unit in units if unit not in held]
    assert fresh_ones.count("b") > 0.7 * len(fresh_ones)
    history = (await alone.viewer.get(f"{ALL}/{test['id']}")).json()["history"]
    assert history[-1]["reason"] == "From now on: weights a 0.1, b 0.9; traffic 1."


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"alpha": 0.1}, "/alpha"),
        ({"key": "other"}, "/key"),
        ({"metrics": [{"name": "rating", "role": "primary"}]}, "/metrics"),
        ({"variants": weighted(a=0.5, c=0.5)}, "/variants"),
        ({"exclusion_group": "h"}, "/exclusion_group"),
    ],
)
async def test_what_a_test_was_registered_with_is_fixed_once_it_runs(
    alone: Alone, changes: dict[str, Any], pointer: str
) -> None:
    test = await running(alone)
    answer = await patched(alone, test, **changes)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    named = await patched(alone, test, name="Another", auto_conclude=True)
    assert (named.json()["name"], len(named.json()["epochs"])) == ("Another", 1)
    await after(alone, test, "stop")
    assert (await patched(alone, test, name="Too late")).status_code == 409


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"variants": weighted(a=0.99996, b=0.00004), "traffic": 1}, "/variants"),
        ({"variants": weighted(a=0.00004, b=0.99996), "traffic": 1}, "/variants"),
        ({"variants": weighted(a=0, b=1), "traffic": 1}, "/variants"),
        ({"traffic": 0.00004}, "/traffic"),
    ],
)
async def test_a_change_that_gives_a_share_to_nobody_is_refused_and_its_field_named(
    alone: Alone, changes: dict[str, Any], pointer: str
) -> None:
    test = await running(alone, traffic=0.5, variants=weighted(a=0.5, b=0.5))
    answer = await patched(alone, test, **changes)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert "0.0001" in answer.json()["errors"][0]["message"]


async def test_the_client_places_units_as_the_gateway_does(alone: Alone) -> None:
    test = await running(alone, traffic=0.5, exclusion_group=f"g-{uuid4()}")
    assert (await patched(alone, test, traffic=0.8)).status_code == 200
    told = await alone.admin.get("/ai/assignable-tests")
    offline = Experiment.from_answer(
        next(one for one in told.json()["items"] if one["id"] == test["id"])
    )
    known = {"If-None-Match": told.headers["etag"]}
    assert (await alone.admin.get("/ai/assignable-tests", headers=known)).status_code == 304
    assert (await alone.viewer.get("/ai/assignable-tests")).status_code == 403
    for number in range(100):
        unit = f"user-{number}"
        at = await placed(alone.admin, test, unit)
        variant, takes_part = assign(offline, unit)
        assert (at["variant"], at["in_test"]) == (variant.key, takes_part)
        assert at["model_id"] == variant.model_id


async def test_a_unit_is_in_one_test_of_a_group_and_a_full_group_takes_no_other(
    alone: Alone,
) -> None:
    group = f"g-{uuid4()}"
    one, two, three = [
        await made(alone, traffic=share, exclusion_group=group) for share in (0.6, 0.4, 0.1)
    ]
    # At once: whoever comes second must see what the first took.
    await asyncio.gather(*(after(alone, test, "start") for test in (one, two)))
    for number in range(60):
        found = [await placed(alone.admin, test, f"user-{number}") for test in (one, two)]
        assert sum(at["in_test"] for at in found) == 1
    full = await alone.admin.post(f"{ALL}/{three['id']}/start")
    assert (full.status_code, "0 of all units are free" in full.json()["detail"]) == (409, True)
    await after(alone, one, "stop")
    assert (await after(alone, three, "start"))["state"] == "running"


async def test_a_group_takes_tests_of_one_kind_of_unit_only(alone: Alone) -> None:
    group = f"g-{uuid4()}"
    by_user = await running(alone, traffic=0.2, exclusion_group=group)
    await running(alone, traffic=0.2, unit="session_id")
    await running(alone, traffic=0.2, exclusion_group=group)
    other = await made(alone, traffic=0.2, exclusion_group=group, unit="session_id")
    for live in ("running", "paused"):
        mixed = await alone.admin.post(f"{ALL}/{other['id']}/start")
        assert mixed.status_code == 409
        for said in ("by session_id", "by user_id", by_user["key"]):
            assert said in mixed.json()["detail"]
        if live == "running":
            await after(alone, by_user, "pause")
    assert (await after(alone, by_user, "start"))["state"] == "running"
    assert (await patched(alone, other, exclusion_group=f"{group}-2")).status_code == 200
    assert (await after(alone, other, "start"))["state"] == "running"


async def test_whoever_is_outside_gets_the_control_and_the_reason(alone: Alone) -> None:
    test = await made(alone, traffic=0.1)
    at = await placed(alone.admin, test, "user-1")
    assert at == {
        "test_id": test["id"],
        "key": test["key"],
        "variant": "a",
        "model_id": "m-1",
        "in_test": False,
        "reason": "draft",
        "epoch": None,
    }
    await after(alone, test, "start")
    reasons = {(await placed(alone.admin, test, f"u-{n}"))["reason"] for n in range(60)}
    assert reasons == {"assigned", "outside"}
    assert (await placed(alone.admin, test, ""))["reason"] == "no_unit"
    await after(alone, test, "pause")
    assert {(await placed(alone.admin, test, f"u-{n}"))["reason"] for n in range(9)} == {"paused"}
    await after(alone, test, "stop")
    assert (await placed(alone.admin, test, "u-1"))["reason"] == "stopped"


async def test_a_concluded_test_gives_everybody_the_winner(alone: Alone) -> None:
    test = await running(alone)
    await alone.rows(
        "UPDATE ab_tests SET state = 'concluded', winner = 'b', ended_at = now(),"
        " updated_at = clock_timestamp() WHERE test_id = $1",
        test["id"],
    )

    async def told() -> bool:
        return (await placed(alone.admin, test, "u-1"))["reason"] == "concluded"

    await eventually(told, why="the copy is refreshed")
    at = await placed(alone.admin, test, "u-1")
    assert (at["variant"], at["model_id"], at["in_test"]) == ("b", "m-2", False)


async def test_a_test_that_ended_is_answered_for_a_month_and_then_unknown(
    alone: Alone, monkeypatch: pytest.MonkeyPatch
) -> None:
    test = await running(alone)
    await after(alone, test, "stop")
    path = f"{ALL}/{test['id']}"
    flag = f"/ofrep/v1/evaluate/flags/{test['key']}"
    unit = {"context": {"targetingKey": "u-1"}}

    async def ended(days: int) -> None:
        await alone.rows(
            "UPDATE ab_tests SET ended_at = now() - make_interval(days => $2),"
            " updated_at = clock_timestamp() WHERE test_id = $1",
            *(test["id"], days),
        )

    async def assignable() -> list[str]:
        items = (await alone.admin.get("/ai/assignable-tests")).json()["items"]
        return [one["id"] for one in items]

    monkeypatch.setattr(known_tests, "RELOAD_EVERY_S", 0)
    await ended(29)
    assert (await placed(alone.admin, test, "u-1"))["reason"] == "stopped"
    assert (await alone.admin.post(flag, json=unit)).json()["reason"] == "DISABLED"
    assert test["id"] in await assignable()
    await ended(31)

    async def unknown() -> bool:
        return test["id"] not in await assignable()

    await eventually(unknown, why="all is loaded anew")
    gone = await alone.admin.get(f"{path}/assignment", params={"user_id": "u-1"})
    assert (gone.status_code, "30 days ago" in gone.json()["detail"]) == (404, True)
    assert (await alone.admin.post(flag, json=unit)).json()["errorCode"] == "FLAG_NOT_FOUND"
    assert (await alone.viewer.get(path)).json()["state"] == "stopped", "it is not gone"


async def test_a_unit_is_named_as_the_test_says(alone: Alone) -> None:
    test = await running(alone, unit="session_id")
    path = f"{ALL}/{test['id']}/assignment"
    by_session = await alone.admin.get(path, params=NOT_EXPOSED | {"session_id": "s-1"})
    by_unit = await alone.admin.get(path, params=NOT_EXPOSED | {"unit_id": "s-1"})
    assert by_session.json() == by_unit.json()
    wrong = await alone.admin.get(path, params={"user_id": "u-1"})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/session_id")
    for unit in ("x" * 129, "a\x1fb", "a\x00b"):
        refused = await alone.admin.get(path, params={"session_id": unit})
        assert refused.status_code == 422


async def test_two_names_of_different_units_are_refused_and_both_named(alone: Alone) -> None:
    test = await running(alone)
    path = f"{ALL}/{test['id']}/assignment"
    odd = await alone.admin.get(path, params={"unit_id": "u-1", "user_id": "u-2"})
    assert odd.status_code == 422
    assert [one["pointer"] for one in odd.json()["errors"]] == ["/unit_id", "/user_id"]
    assert "unit_id and user_id" in odd.json()["detail"]
    for agreed in ({"unit_id": "u-1", "user_id": "u-1"}, {"unit_id": "u-1", "session_id": "s-2"}):
        answer = await alone.admin.get(path, params=NOT_EXPOSED | agreed)
        assert answer.json() == await placed(alone.admin, test, "u-1")


async def test_another_gateway_knows_within_moments(alone: Alone) -> None:
    test = await running(alone)
    path = f"{ALL}/{test['id']}/assignment"

    async def reason() -> Any:
        answer = await alone.agent.get(path, params=NOT_EXPOSED | {"user_id": "user-1"})
        return answer.json().get("reason")

    async def assigned() -> bool:
        return await reason() == "assigned"

    async def paused() -> bool:
        return await reason() == "paused"

    await eventually(assigned, why="the other gateway knows the test", deadline_s=5)
    await after(alone, test, "pause")
    await eventually(paused, why="the other gateway knows that it is paused", deadline_s=5)


async def test_permissions_and_tenants_are_kept_apart(alone: Alone) -> None:
    test = await running(alone)
    path = f"{ALL}/{test['id']}"
    assert (await alone.agent.get(path)).status_code == 403
    assert (await alone.viewer.post(ALL, json=fresh())).status_code == 403
    assert (await alone.viewer.patch(path, json={"name": "x"})).status_code == 403
    assert (await alone.viewer.post(f"{path}/stop")).status_code == 403
    assert (await alone.viewer.get(f"{path}/assignment?user_id=u")).status_code == 403
    for answer in (
        await alone.stranger.get(path),
        await alone.stranger.patch(path, json={"name": "x"}),
        await alone.stranger.post(f"{path}/stop"),
        await alone.stranger.get(f"{path}/assignment?user_id=u"),
    ):
        assert answer.status_code == 404
    listed = (await alone.stranger.get(ALL)).json()["items"]
    assert test["id"] not in [one["id"] for one in listed]


async def test_open_tests_are_limited_and_ended_ones_are_not_counted(
    alone: Alone, monkeypatch: pytest.MonkeyPatch
) -> None:
    test = await running(alone)
    monkeypatch.setattr(service, "MOST_TESTS", 1)
    full = await alone.admin.post(ALL, json=fresh())
    assert (full.status_code, "at most 1 tests are open" in full.json()["detail"]) == (422, True)
    await after(alone, test, "stop")
