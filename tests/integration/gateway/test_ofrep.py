"""A/B tests as flags of the OpenFeature Remote Evaluation Protocol."""

from typing import Any

import pytest

from tests.integration.gateway.callers import Alone
from tests.integration.gateway.test_experiments_api import after, made, placed, running
from tests.support.experiments import weighted
from tests.support.waiting import eventually

FLAGS = "/ofrep/v1/evaluate/flags"
NOBODY = {"expose": "false"}


def context(unit: Any, **more: Any) -> dict[str, Any]:
    return {"context": {"targetingKey": unit, **more}}


async def test_a_unit_in_the_test_gets_its_variants_model(alone: Alone) -> None:
    test = await running(alone)
    answer = await alone.admin.post(
        f"{FLAGS}/{test['key']}", json=context("user-1", plan="gold"), params=NOBODY
    )
    at = await placed(alone.admin, test, "user-1")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == {
        "key": test["key"],
        "reason": "SPLIT",
        "variant": at["variant"],
        "value": at["model_id"],
        "metadata": {"test_id": test["id"], "in_test": True, "epoch": 1},
    }


async def test_a_unit_outside_gets_no_value_so_that_its_own_default_holds(alone: Alone) -> None:
    test = await made(alone, traffic=0)
    path = f"{FLAGS}/{test['key']}"
    draft = (await alone.admin.post(path, json=context("user-1"))).json()
    assert (draft["reason"], draft["metadata"]["why"]) == ("DISABLED", "draft")
    await after(alone, test, "start")
    outside = (await alone.admin.post(path, json=context("user-1"))).json()
    assert (outside["reason"], outside["metadata"]["why"]) == ("DEFAULT", "outside")
    assert "value" not in draft.keys() | outside.keys()
    assert draft["variant"] == outside["variant"] == ""


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "PARSE_ERROR"),
        (b"[]", "INVALID_CONTEXT"),
        (b'{"context": 7}', "INVALID_CONTEXT"),
        (b"{}", "TARGETING_KEY_MISSING"),
        (b'{"context": {"targetingKey": ""}}', "TARGETING_KEY_MISSING"),
        (b'{"context": {"targetingKey": 7}}', "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": "a\\u001fb"}}', "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": "a\\u0000b"}}', "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": "\\ud800"}}', "PARSE_ERROR"),
    ],
)
async def test_a_wrong_question_is_answered_by_the_protocols_codes(
    alone: Alone, body: bytes, code: str
) -> None:
    test = await running(alone)
    json_type = {"Content-Type": "application/json"}
    one = await alone.admin.post(f"{FLAGS}/{test['key']}", content=body, headers=json_type)
    assert (one.status_code, one.json()["errorCode"]) == (400, code)
    assert (one.json()["key"], bool(one.json()["errorDetails"])) == (test["key"], True)
    many = await alone.admin.post(FLAGS, content=body, headers=json_type)
    assert (many.status_code, many.json()["errorCode"]) == (400, code)
    await after(alone, test, "stop")


async def test_a_context_that_names_another_unit_is_refused_and_keeps_no_other_flag_back(
    alone: Alone,
) -> None:
    by_user, by_session = await running(alone), await running(alone, unit="session_id")
    odd = context("user-1", user_id="user-2")
    one = await alone.admin.post(f"{FLAGS}/{by_user['key']}", json=odd)
    assert (one.status_code, one.json()["errorCode"]) == (400, "INVALID_CONTEXT")
    for name in ("context.targetingKey", "context.user_id"):
        assert name in one.json()["errorDetails"]
    other = await alone.admin.post(f"{FLAGS}/{by_session['key']}", json=odd, params=NOBODY)
    assert other.json()["reason"] == "SPLIT"
    many = await alone.admin.post(FLAGS, json=odd)
    flags = {one["key"]: one for one in many.json()["flags"]}
    assert flags[by_user["key"]] == one.json()
    assert flags[by_session["key"]] == other.json()
    same = context("17", user_id=17)
    agreed = await alone.admin.post(f"{FLAGS}/{by_user['key']}", json=same, params=NOBODY)
    assert agreed.status_code == 200


async def test_an_unknown_flag_is_a_404_that_names_it(alone: Alone) -> None:
    answer = await alone.admin.post(f"{FLAGS}/nothing", json=context("user-1"))
    assert (answer.status_code, answer.json()["errorCode"]) == (404, "FLAG_NOT_FOUND")
    assert answer.json()["key"] == "nothing"
    test = await running(alone)
    foreign = await alone.stranger.post(f"{FLAGS}/{test['key']}", json=context("user-1"))
    assert foreign.status_code == 404


async def test_all_flags_of_a_unit_are_answered_anew_only_when_they_changed(alone: Alone) -> None:
    test, draft = await running(alone), await made(alone)
    first = await alone.admin.post(FLAGS, json=context("user-1"))
    flags = {one["key"]: one for one in first.json()["flags"]}
    single = await alone.admin.post(f"{FLAGS}/{test['key']}", json=context("user-1"), params=NOBODY)
    assert flags[test["key"]] == single.json()
    assert draft["key"] not in flags
    tag = first.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        same = await alone.admin.post(
            FLAGS, json=context("user-1"), headers={"If-None-Match": known}
        )
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    await after(alone, test, "pause")
    changed = await alone.admin.post(FLAGS, json=context("user-1"), headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag
    paused = next(one for one in changed.json()["flags"] if one["key"] == test["key"])
    assert (paused["reason"], "value" in paused) == ("DISABLED", False)


async def test_the_credential_may_come_as_an_api_key_and_needs_the_permission(alone: Alone) -> None:
    test = await running(alone, variants=weighted(a=0.5, b=0.5))
    key = alone.agent.headers["authorization"].removeprefix("Bearer ")
    path = f"{FLAGS}/{test['key']}"

    async def found() -> bool:
        answer = await alone.agent.post(
            path,
            json=context("user-1"),
            params=NOBODY,
            headers={"Authorization": "", "X-API-Key": key},
        )
        assert answer.status_code in {200, 404}
        return answer.status_code == 200

    await eventually(found, why="the agent's gateway knows the test", deadline_s=5)
    without = await alone.agent.post(path, json=context("u"), headers={"Authorization": ""})
    assert without.status_code == 401
    assert (await alone.viewer.post(path, json=context("u"))).status_code == 403
