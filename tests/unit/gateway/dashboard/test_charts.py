"""What charts draw, and what they say to who does not see them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.gateway.domain.dashboard.charts import charts, forecast_chart, span_of
from services.gateway.domain.dashboard.model import measure, numbers
from services.gateway.domain.dashboard.wording import DASH
from shared.keys import WINDOWS
from shared.measures.summary import summarise
from shared.views import MetricsView

NOON = datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC)
MOST_POINTS = 2_000


def item(at: datetime, **changes: Any) -> dict[str, Any]:
    return {
        "at": at,
        "success_rate": {"value": 0.5, "low": 0.4, "high": 0.6},
        "response_time_ms": {"p50": 10.0, "p95": 20.0, "p99": 30.0},
        "throughput_per_minute": 4.0,
    } | changes


@pytest.mark.parametrize("window", list(WINDOWS))
def test_a_chart_reaches_as_far_as_its_window_in_whole_steps(window: str) -> None:
    span = span_of(window, NOON)
    assert span.start <= NOON - timedelta(seconds=WINDOWS[window] - span.step_s)
    assert span.end > NOON
    assert span.start.timestamp() % span.step_s == 0
    assert len(span.places()) <= MOST_POINTS


def test_a_step_in_which_nothing_was_observed_is_a_gap_and_not_zero() -> None:
    span = span_of("1h", NOON)
    seen = item(span.places()[3])
    success, times, _ = charts([seen], span)
    assert [at for at, value in enumerate(success.curves[0].values) if value is not None] == [3]
    assert success.curves[0].low[3] == 0.4
    assert times.curves[1].values[2] is None
    assert len(success.x) == len(success.curves[0].values) == len(success.curves[0].high)
    assert "p95 from 20 ms to 20 ms" in times.words
    assert not times.is_empty


def test_the_step_under_way_is_no_fall_of_throughput() -> None:
    span = span_of("1h", NOON)
    success, times, flow = charts([item(at) for at in span.places()], span)
    assert flow.curves[0].values[-2:] == [4.0, None]
    assert success.curves[0].values[-1] == 0.5  # a share of what there is by now
    assert times.curves[0].values[-1] == 10.0


def test_nothing_at_all_is_said_so() -> None:
    for one in charts([], span_of("1h", NOON)):
        assert "nothing was observed" in one.words
        assert one.is_empty


def test_a_forecast_is_drawn_with_its_band() -> None:
    point = {"at": NOON, "value": 0.9, "low_80": 0.8, "high_80": 0.95, "low_95": None}
    found = {"metric": "success_rate", "items": [point | {"high_95": None}]}
    drawn = forecast_chart(found, "F")
    assert drawn.unit == "share"
    assert drawn.x == [NOON.timestamp()]
    assert [one.values for one in drawn.curves] == [[0.9], [0.8], [0.95]]
    assert drawn.curves[0].low == [None]


def test_a_model_of_which_nothing_was_seen_has_dashes_only() -> None:
    silent = MetricsView(
        model_id="m",
        window="1h",
        window_start=NOON,
        status="unknown",
        reasons=[],
        **dict(summarise({}, 3600)),
    )
    cards = numbers(silent.model_dump(mode="json")).cards
    shown = {(title, name): value for title, facts in cards for name, value in facts}
    assert shown.pop(("Outcome", "operations")).text == "0"  # of these there were surely none
    assert {value.text for value in shown.values()} == {DASH}


def test_the_sides_of_a_models_health_have_their_units() -> None:
    side = {"value": 0.5, "low": None, "high": None, "sample": 3, "window": "1h"}
    assert measure(side | {"name": "slow"}).text == "50.0 %"
    assert measure(side | {"name": "rating"}).text == "0.5"
