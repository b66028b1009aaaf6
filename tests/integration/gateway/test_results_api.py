"""What A/B tests will need and what they have found, over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from pydantic_core import from_json, to_json

from assay_sdk import Experiment, assign
from shared.events.experiment import Effect
from shared.experiments.results import ResultsAnswer
from tests.integration.gateway.callers import Alone
from tests.integration.gateway.test_experiments_api import ALL, after, made, placed, running

PLAN = f"{ALL}/plan"
RATING = {"metric": "rating", "baseline": 4, "sd": 1.0, "min_effect": 0.1}


def comparison(**changes: Any) -> dict[str, Any]:
    """b beside a, as it is kept."""
    return {
        "metric": "success_rate",
        "variant": "b",
        "control": "a",
        "role": "primary",
        "difference": 0.03,
        "low": 0.01,
        "high": 0.05,
        "relative": 0.033,
        "relative_low": 0.01,
        "relative_high": 0.06,
        "p_value": 0.001,
        "p_adjusted": 0.001,
        "method": "always_valid",
        "significant": True,
        "enough_data": True,
        "se": 0.005,
        "df": 1996.0,
        "unit": "success_rate",
        "n_star": 5000,
        "decisive": True,
        "unmet": None,
        "harmed": False,
        "non_inferior": None,
        "units": 2000,
        "operations": 10_000,
        "fixed": {"low": 0.02, "high": 0.04, "p_value": 1e-5},
        **changes,
    }


def found(test: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Results as they are kept."""
    values = {"a": 0.9, "b": 0.93}
    return {
        "test_id": test["id"],
        "state": "running",
        "verdict": "SHIP",
        "winner": "b",
        "recommendation": "Ship b.",
        "days_left": 0,
        "srm": {
            "p_value": 0.7,
            "one_look_p_value": 1.0,
            "expected": {"a": 1000, "b": 1000},
            "observed": {"a": 1000, "b": 1000},
            "broken": False,
        },
        "variants": [
            {
                "key": key,
                "units": 1000,
                "operations": 5000,
                "metrics": {
                    "success_rate": {"value": value, "low": value - 0.01, "high": value + 0.01}
                },
            }
            for key, value in values.items()
        ],
        "comparisons": [comparison()],
        "multiple_exposures": {"units": 0, "share": 0.0},
        "warnings": [],
        "as_of": "2026-01-01T12:00:00Z",
        "formula_version": "abtest-2",
        **changes,
    }


async def keep(alone: Alone, test: dict[str, Any], body: dict[str, Any], **at: datetime) -> None:
    """As whoever computes results writes them."""
    await alone.rows(
        "INSERT INTO ab_results (tenant_id, test_id, as_of, verdict, body, memory)"
        " VALUES ('acme', $1, $2, $3, $4, '{}')"
        " ON CONFLICT (tenant_id, test_id) DO UPDATE SET verdict = $3, body = $4",
        test["id"],
        at.get("as_of", datetime(2026, 1, 1, 12, tzinfo=UTC)),
        body["verdict"],
        to_json(body).decode(),
    )


async def results(client: httpx2.AsyncClient, test: dict[str, Any]) -> dict[str, Any]:
    answer = await client.get(f"{ALL}/{test['id']}/results")
    assert answer.status_code == 200, answer.text
    ResultsAnswer.model_validate_json(answer.content)
    return dict(answer.json())


async def plan(alone: Alone, **asked: Any) -> dict[str, Any]:
    answer = await alone.viewer.post(PLAN, json=asked)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_before_anything_is_computed_it_is_too_early_and_no_error(alone: Alone) -> None:
    test = await made(alone)
    early = await results(alone.viewer, test)
    assert (early["state"], early["verdict"], early["winner"]) == ("draft", "COLLECTING", None)
    assert "has not begun" in early["recommendation"]
    assert [one["units"] for one in early["variants"]] == [0, 0]
    assert early["variants"][0]["metrics"] == {
        "success_rate": {"value": None, "low": None, "high": None}
    }
    assert (early["comparisons"], early["srm"]["broken"]) == ([], False)
    for action, said in (("start", "Too early"), ("pause", "paused"), ("stop", "was stopped")):
        await after(alone, test, action)
        early = await results(alone.viewer, test)
        assert (early["verdict"], said in early["recommendation"]) == ("COLLECTING", True)


async def assignable(alone: Alone, test: dict[str, Any]) -> dict[str, Any]:
    answer = await alone.admin.get("/ai/assignable-tests")
    return next(dict(one) for one in answer.json()["items"] if one["id"] == test["id"])


@pytest.mark.parametrize("action", ["pause", "stop"])
async def test_the_winner_of_the_results_is_served_to_nobody_by_the_client_either(
    alone: Alone, action: str
) -> None:
    test = await running(alone)
    await keep(alone, test, found(test))
    assert (await after(alone, test, action))["winner"] == "b"
    told = await assignable(alone, test)
    assert (told["state"] == "running", told["winner"]) == (False, None)
    at = await placed(alone.admin, test, "u-1")
    variant, takes_part = assign(Experiment.from_answer(told), "u-1")
    assert (variant.key, takes_part) == (at["variant"], at["in_test"]) == ("a", False)


async def test_results_are_told_as_they_were_computed_in_the_state_of_now(alone: Alone) -> None:
    test = await running(alone)
    await keep(alone, test, found(test, formula_version="abtest-2"))
    assert await results(alone.viewer, test) == found(test, formula_version="abtest-2")
    await after(alone, test, "pause")
    told = await results(alone.viewer, test)
    assert told == found(test, formula_version="abtest-2") | {"state": "paused"}


async def steps(alone: Alone, test: dict[str, Any]) -> list[dict[str, Any]]:
    """As they are told."""
    rows = await alone.rows(
        "SELECT body FROM ab_test_steps WHERE test_id = $1 ORDER BY occurred_at", test["id"]
    )
    return [dict(from_json(row["body"])) for row in rows]


async def test_a_persons_step_tells_what_the_test_says_by_then(alone: Alone) -> None:
    test = await running(alone)
    await keep(alone, test, found(test))
    for action in ("pause", "start", "stop"):
        await after(alone, test, action)
    start, *others = await steps(alone, test)
    assert (start["verdict"], start["winner"]) == (None, None)
    assert (start["effects"], start["samples"]) == ([], {})
    effect = {name: comparison()[name] for name in Effect.model_fields}
    for step in others:
        assert (step["verdict"], step["winner"], step["actor"]) == ("SHIP", "b", test["created_by"])
        assert (step["effects"], step["samples"]) == ([effect], {"a": 1000, "b": 1000})


async def test_results_that_this_release_cannot_read_stop_nobodys_step(alone: Alone) -> None:
    test = await running(alone)
    await keep(alone, test, {"verdict": "SHIP", "from": "a later release"})
    assert (await after(alone, test, "pause"))["state"] == "paused"
    told = (await steps(alone, test))[-1]
    assert (told["state"], told["verdict"], told["samples"]) == ("paused", "SHIP", {})


async def test_a_step_comes_after_one_from_a_clock_ahead(alone: Alone) -> None:
    test = await running(alone)
    ahead = datetime.now(UTC) + timedelta(minutes=5)
    await alone.rows(
        "UPDATE ab_test_steps SET occurred_at = $2 WHERE test_id = $1", test["id"], ahead
    )
    stopped = await after(alone, test, "stop")
    assert datetime.fromisoformat(stopped["ended_at"]) == ahead + timedelta(microseconds=1)
    history = (await alone.viewer.get(f"{ALL}/{test['id']}")).json()["history"]
    assert [one["state"] for one in history] == ["running", "stopped"]


async def test_results_are_the_tenants_own_and_need_the_permission(alone: Alone) -> None:
    test = await running(alone)
    path = f"{ALL}/{test['id']}/results"
    await keep(alone, test, found(test))
    assert (await alone.stranger.get(path)).status_code == 404
    assert (await alone.agent.get(path)).status_code == 403
    assert (await alone.viewer.get(f"{ALL}/{uuid4()}/results")).status_code == 404
    assert (await alone.stranger.post(PLAN, json={"test_id": test["id"]})).status_code == 404
    assert (await alone.agent.post(PLAN, json=RATING)).status_code == 403


async def test_tests_show_the_last_verdict_and_its_winner(alone: Alone) -> None:
    test = await running(alone)
    path = f"{ALL}/{test['id']}"
    shown = (await alone.viewer.get(path)).json()
    assert (shown["verdict"], shown["winner"]) == (None, None)
    await keep(alone, test, found(test))
    listed = (await alone.viewer.get(ALL, params={"limit": 1})).json()["items"][0]
    paused = await after(alone, test, "pause")
    for one in ((await alone.viewer.get(path)).json(), listed, paused):
        assert (one["id"], one["verdict"], one["winner"]) == (test["id"], "SHIP", "b")
    steps = await alone.rows(
        "SELECT body ->> 'verdict' AS verdict FROM ab_test_steps WHERE test_id = $1"
        " ORDER BY occurred_at",
        test["id"],
    )
    assert [one["verdict"] for one in steps] == [None, "SHIP"]


async def test_nobody_is_served_a_winner_that_is_not_concluded(alone: Alone) -> None:
    test = await running(alone)
    await keep(alone, test, found(test))
    await after(alone, test, "stop")
    whole = (await alone.viewer.get(f"{ALL}/{test['id']}")).json()
    assert whole["winner"] == "b"
    for number in range(20):
        unit = f"user-{number}"
        variant, takes_part = assign(Experiment.from_answer(whole), unit)
        at = await placed(alone.admin, test, unit)
        assert (at["variant"], at["in_test"]) == (variant.key, takes_part) == ("a", False)


async def test_a_plan_is_reckoned_elsewhere(alone: Alone) -> None:
    told = await plan(alone, **RATING, units_per_day=100)
    assert (told["units_per_variant"], told["refusal"]) == (1571, None)
    assert (told["units_total"], told["days"]) == (3142, 32)
    assert told["detectable_effect_by_week"][-1]["effect"] < 0.1
    refusal = await plan(alone, **RATING | {"sd": 0})
    assert ("no variance" in refusal["refusal"], refusal["units_total"]) == (True, None)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"alpha": 0}, "/alpha"),
        ({"alpha": 1.5}, "/alpha"),
        ({"power": 1}, "/power"),
        ({"min_effect": 0}, "/min_effect"),
        ({"min_effect": -0.1}, "/min_effect"),
        ({"sd": None}, "/sd"),
        ({"metric": "charm"}, "/metric"),
        ({"metric": "success_rate"}, "/baseline"),
        ({"metric": "success_rate", "baseline": 0.9, "min_effect": 0.2}, "/min_effect"),
        ({"variants": 1}, "/variants"),
        ({"units_per_day": 0}, "/units_per_day"),
        ({"surprise": 1}, "/surprise"),
    ],
)
async def test_a_wrong_plan_is_refused_and_its_field_named(
    alone: Alone, changes: dict[str, Any], pointer: str
) -> None:
    answer = await alone.viewer.post(PLAN, json=RATING | changes)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert answer.json()["errors"][0]["message"]


async def test_a_plan_takes_from_a_test_what_is_not_said(alone: Alone) -> None:
    metrics = [
        {"name": "success_rate", "role": "primary", "min_effect": 0.02},
        {"name": "cost_usd", "role": "guardrail"},
    ]
    test = await running(alone, metrics=metrics, planned_units=8000)
    unknown = await alone.viewer.post(PLAN, json={"key": test["key"]})
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "/baseline")
    by_hand = await plan(alone, test_id=test["id"], baseline=0.9)
    assert (by_hand["mode"], by_hand["min_effect"], by_hand["sd"]) == ("hybrid", 0.02, None)
    day_ago = datetime.now(UTC) - timedelta(days=4)
    await alone.rows("UPDATE ab_tests SET started_at = $2 WHERE test_id = $1", test["id"], day_ago)
    await keep(alone, test, found(test), as_of=day_ago + timedelta(days=4))
    seen = await plan(alone, key=test["key"])
    assert (seen["baseline"], seen["units_per_day"]) == (0.9, pytest.approx(500))
    assert seen["sd"] == pytest.approx(0.005 / (2 / 1000) ** 0.5)
    adjusted = comparison(cuped={"variance_reduction": 0.75, "coverage": 0.9})
    await keep(alone, test, found(test, comparisons=[adjusted]), as_of=day_ago)
    as_measured = await plan(alone, key=test["key"])
    assert as_measured["sd"] == pytest.approx(2 * seen["sd"])
    other = await plan(alone, key=test["key"], min_effect=0.05, relative=True, units_per_day=250)
    assert (other["min_effect"], other["units_per_day"]) == (pytest.approx(0.045), 250)
    both = await alone.viewer.post(PLAN, json={"key": test["key"], "test_id": test["id"]})
    assert both.status_code == 422
    nobody = await alone.viewer.post(PLAN, json=RATING | {"key": "nobodys"})
    assert nobody.status_code == 404
