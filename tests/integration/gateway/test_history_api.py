"""What A/B tests said over time, over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.gateway.domain.histories import HistoryAnswer
from tests.integration.gateway.callers import Alone
from tests.integration.gateway.test_experiments_api import ALL, running
from tests.integration.gateway.test_results_api import found, keep
from tests.support.experiments import weighted

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
EVEN, BETTER = (0.01, -0.02, 0.04), (0.03, 0.01, 0.05)
METRICS = [{"name": "response_time_ms", "role": "guardrail"}, {"name": "rating", "role": "primary"}]


async def said(
    alone: Alone,
    test: dict[str, Any],
    minute: int,
    numbers: tuple[float, float, float],
    *,
    metric: str = "rating",
    variant: str = "b",
    is_first: bool = False,
) -> None:
    """A look as abtest keeps it: difference, low and high."""
    await alone.rows(
        "INSERT INTO ab_results_history (tenant_id, test_id, at, metric, variant, is_first, units,"
        " difference, low, high) VALUES ('acme', $1, $2, $3, $4, $5, 2000, $6, $7, $8)",
        *(test["id"], NOON + timedelta(minutes=minute), metric, variant, is_first, *numbers),
    )


async def told(alone: Alone, test: dict[str, Any], **asked: str) -> dict[str, Any]:
    answer = await alone.viewer.get(f"{ALL}/{test['id']}/history", params=asked)
    assert answer.status_code == 200, answer.text
    HistoryAnswer.model_validate_json(answer.content)
    return dict(answer.json())


def at(minute: int) -> str:
    return (NOON + timedelta(minutes=minute)).isoformat().replace("+00:00", "Z")


async def test_looks_are_told_oldest_first_and_the_primary_metric_first(alone: Alone) -> None:
    test = await running(alone, variants=weighted(a=0.4, b=0.3, c=0.3), metrics=METRICS)
    nobody = await told(alone, test)
    assert (nobody["hidden"], [one["metric"] for one in nobody["metrics"]]) == (
        *(False, ["rating", "response_time_ms"]),
    )
    assert nobody["metrics"][0]["variants"] == [
        {"variant": key, "control": "a", "excluded_zero_at": None, "points": []} for key in "bc"
    ]
    for minute, numbers in ((2, BETTER), (1, EVEN)):
        await said(alone, test, minute, numbers)
    await said(alone, test, 2, BETTER, is_first=True)
    await said(alone, test, 1, EVEN, metric="response_time_ms", variant="c")
    rating, time = (await told(alone, test))["metrics"]
    assert (rating["role"], rating["unit"], time["role"], time["unit"]) == (
        *("primary", "rating", "guardrail", "ln"),
    )
    points = [[at(1), 2000, *EVEN], [at(2), 2000, *BETTER]]
    assert rating["variants"][0] == {
        "variant": "b",
        "control": "a",
        "excluded_zero_at": at(2),
        "points": points,
    }
    assert rating["variants"][1]["points"] == []
    assert time["variants"][1]["points"] == points[:1]


async def test_a_crossing_is_told_beside_what_took_its_place(alone: Alone) -> None:
    test = await running(alone, metrics=METRICS)
    await said(alone, test, 1, BETTER, is_first=True)
    await said(alone, test, 1, EVEN)
    (b,) = (await told(alone, test))["metrics"][0]["variants"]
    assert b["points"] == [[at(1), 2000, *BETTER], [at(1), 2000, *EVEN]]


async def test_one_metric_and_later_looks_can_be_asked_for(alone: Alone) -> None:
    test = await running(alone, metrics=METRICS)
    await said(alone, test, 1, BETTER, is_first=True)
    for minute in (1, 2, 3):
        await said(alone, test, minute, BETTER)
        await said(alone, test, minute, EVEN, metric="response_time_ms")
    (rating,) = (await told(alone, test, metric="rating", since=at(2)))["metrics"]
    (b,) = rating["variants"]
    assert [one[0] for one in b["points"]] == [at(2), at(3)]
    assert (rating["metric"], b["excluded_zero_at"]) == ("rating", at(1))
    assert (await told(alone, test, metric="tokens"))["metrics"] == []


@pytest.mark.parametrize("asked", [{"metric": "charm"}, {"since": "1767268800"}, {"until": "x"}])
async def test_what_cannot_be_asked_is_refused(alone: Alone, asked: dict[str, str]) -> None:
    test = await running(alone)
    answer = await alone.viewer.get(f"{ALL}/{test['id']}/history", params=asked)
    assert answer.status_code == 422


async def test_broken_data_hide_what_was_said(alone: Alone) -> None:
    test = await running(alone, metrics=METRICS)
    await said(alone, test, 1, BETTER, is_first=True)
    await keep(alone, test, found(test, verdict="BROKEN", winner=None))
    hidden = await told(alone, test)
    (b,) = hidden["metrics"][0]["variants"]
    assert (hidden["hidden"], b["points"], b["excluded_zero_at"]) == (True, [], None)
    await keep(alone, test, found(test))
    assert len((await told(alone, test))["metrics"][0]["variants"][0]["points"]) == 1


async def test_histories_are_the_tenants_own_and_need_the_permission(alone: Alone) -> None:
    test = await running(alone)
    path = f"{ALL}/{test['id']}/history"
    await said(alone, test, 1, BETTER, metric="success_rate")
    assert (await alone.stranger.get(path)).status_code == 404
    assert (await alone.agent.get(path)).status_code == 403
    assert (await alone.viewer.get(f"{ALL}/{uuid4()}/history")).status_code == 404
