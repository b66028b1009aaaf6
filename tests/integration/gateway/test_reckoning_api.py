"""GET forecast and statistics, from two weeks of events that were really sent."""

import itertools
import math
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.gateway.callers import Clients, fields
from tests.support.waiting import eventually

MODEL = "two-weeks"
HOURS = 14 * 24
FORECAST = f"/ai/metrics/{MODEL}/forecast"
NOW = datetime.now(UTC)


def event(number: int, hour: int) -> dict[str, Any]:
    at = NOW.replace(minute=0) - timedelta(hours=hour) + timedelta(minutes=number % 10)
    return fields(number, model_id=MODEL, success=True, error_type=None) | {
        "event_id": str(uuid4()),
        "occurred_at": at.isoformat(),
        "response_time_ms": 100.0 + (HOURS - hour),
    }


@pytest.fixture(scope="module", autouse=True)
async def _two_weeks(clients: Clients) -> None:
    """Three to nine operations an hour, by the time of day, slower by a millisecond each hour."""
    events = [
        event(20_000 + 10 * hour + n, hour)
        for hour in range(1, HOURS + 1)
        for n in range(6 + round(3 * math.sin(2 * math.pi * hour / 24)))
    ]
    for start in range(0, len(events), 500):
        answer = await clients.agent.post("/ai/operations/log", json=events[start : start + 500])
        assert answer.json()["rejected"] == 0, answer.text

    async def stored() -> bool:
        found = await clients.viewer.get(
            f"/ai/metrics/{MODEL}/series",
            params={"step": "1d", "from": event(0, HOURS + 24)["occurred_at"]},
        )
        return sum(one["sample"] for one in found.json().get("items", [])) == len(events)

    await eventually(stored, why="two weeks are stored", deadline_s=60)


async def forecast(clients: Clients, query: dict[str, Any]) -> Any:
    """As clients ask: on a busy machine it may take too long at first (503), and is asked again."""

    async def answered() -> Any:
        answer = await clients.viewer.get(FORECAST, params=query)
        return None if answer.status_code == 503 else answer

    found = await eventually(answered, why="the forecast is there", deadline_s=120)
    assert found.status_code == 200, found.text
    return found.json()


async def test_a_forecast_tells_values_intervals_and_what_they_rest_on(clients: Clients) -> None:
    query = {"metric": "throughput_per_minute", "horizon": "12h"}
    found = await forecast(clients, query)
    assert (found["model_id"], found["metric"], found["refusal"]) == (MODEL, query["metric"], None)
    assert HOURS - 1 <= found["history"]["steps"] <= HOURS + 1
    assert found["method"] in ("seasonal_naive", "damped_holt")
    assert len(found["items"]) == 12
    for one in found["items"]:
        assert 0 <= one["low_95"] <= one["low_80"] <= one["value"] <= one["high_80"]
        assert one["high_80"] <= one["high_95"]
        assert 2 / 60 <= one["value"] <= 10 / 60
    times = [datetime.fromisoformat(one["at"]) for one in found["items"]]
    assert times[0] == datetime.fromisoformat(found["history"]["end"])
    assert {later - at for at, later in itertools.pairwise(times)} == {timedelta(hours=1)}
    again = await forecast(clients, query)
    assert again["as_of"] == found["as_of"]  # remembered, and older
    assert again["freshness_ms"] >= found["freshness_ms"]


async def test_a_forecast_says_when_a_limit_is_passed(clients: Clients) -> None:
    query = {"metric": "response_time_ms.p95", "horizon": "2d", "threshold": 100 + HOURS + 20}
    found = await forecast(clients, query)
    assert found["refusal"] is None
    assert found["breach"]["threshold"] == query["threshold"]
    earliest = datetime.fromisoformat(found["breach"]["earliest"])
    assert timedelta(0) < earliest - NOW < timedelta(days=2)


async def test_what_cannot_be_forecast_is_refused_with_a_reason(clients: Clients) -> None:
    rating = await clients.viewer.get(FORECAST, params={"metric": "feedback.rating"})
    assert rating.status_code == 200
    assert "too little history" in rating.json()["refusal"] or "gaps" in rating.json()["refusal"]
    assert rating.json()["items"] == []
    unknown = await clients.viewer.get("/ai/metrics/never-sent/forecast")
    assert unknown.status_code == 404
    for wrong in ({"metric": "nonsense"}, {"horizon": "1y"}, {"horizon": "9d"}, {"threshold": "x"}):
        answer = await clients.viewer.get(FORECAST, params=wrong)
        assert answer.status_code == 422, wrong
        assert answer.json()["errors"][0]["pointer"].endswith(next(iter(wrong)))
    assert (await clients.stranger.get(FORECAST)).status_code == 404


async def test_statistics_sum_a_day_and_tell_a_weeks_trends(clients: Clients) -> None:
    found = (await clients.viewer.get("/ai/statistics", params={"refresh": True})).json()
    assert (found["window"], found["trend_window"], found["age_s"]) == ("24h", "7d", 0)
    one = next(item for item in found["items"] if item["model_id"] == MODEL)
    assert 23 * 5 <= one["sample"] <= 25 * 7
    assert one["success_rate"]["value"] == 1
    assert one["success_rate"]["low"] < 1
    slower = one["trends"]["response_time_ms.p95"]
    assert slower["direction"] == "rising"
    assert slower["low"] <= 24 <= slower["high"] or slower["slope_per_day"] == pytest.approx(
        24, rel=0.1
    )
    assert one["trends"]["success_rate"]["direction"] == "steady"
    assert one["trends"]["feedback.rating"]["direction"] == "unknown"
    assert found["total"]["sample"] >= one["sample"]
    again = (await clients.viewer.get("/ai/statistics")).json()
    assert again["as_of"] == found["as_of"]
    anew = (await clients.viewer.get("/ai/statistics", params={"refresh": True})).json()
    assert anew["as_of"] > found["as_of"]
    assert (await clients.stranger.get("/ai/statistics")).json()["items"] == []
    assert (await clients.agent.get("/ai/statistics")).status_code == 403
