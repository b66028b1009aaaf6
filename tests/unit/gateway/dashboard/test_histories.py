"""What tests said over time: bands around no difference, and the same in words."""

from datetime import UTC, datetime, timedelta
from math import log
from typing import Any

from services.gateway.domain.dashboard.histories import history_charts
from services.gateway.domain.dashboard.wording import instant

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def point(minute: int, difference: float, reach: float = 0.02, units: int = 2_000) -> Any:
    at = NOON + timedelta(minutes=minute)
    return (at, units, difference, difference - reach, difference + reach)


def metric(*variants: list[Any], **changes: Any) -> dict[str, Any]:
    """A metric of which b, c and so on have these points."""
    told = [
        {"variant": key, "control": "a", "excluded_zero_at": None, "points": points}
        for key, points in zip("bcd", variants, strict=False)
    ]
    named = {"metric": "success_rate", "role": "primary", "unit": "share", "variants": told}
    return named | changes


def test_a_difference_is_drawn_with_its_interval_around_no_difference() -> None:
    (chart,) = history_charts({"metrics": [metric([point(0, 0.01), point(1, 0.03)])]})
    assert chart.data == {
        "unit": "points",
        "of_differences": True,
        "x": [NOON.timestamp(), NOON.timestamp() + 60],
        "curves": [{"label": "b", "values": [0.01, 0.03], "low": [-0.01, 0.01],
                    "high": [0.03, 0.05]}],
    }  # fmt: skip
    assert chart.title == "success_rate, primary: difference from a"


def test_it_is_told_in_words_since_when_there_is_a_difference() -> None:
    held = metric([point(0, 0.01), point(1, 0.03)])
    held["variants"][0]["excluded_zero_at"] = NOON + timedelta(minutes=1)
    (chart,) = history_charts({"metrics": [held]})
    later = instant(NOON + timedelta(minutes=1))
    assert chart.words == (
        "success_rate, primary: difference from a. b: +3.00 pp, interval +1.00 pp to +5.00 pp, "
        f"on 2,000 units at {later}; 0 was first excluded {later}; 2 looks since {instant(NOON)}."
    )
    (never,) = history_charts({"metrics": [metric([point(0, 0.01)])]})
    assert "0 was never excluded" in never.words


def test_what_was_said_of_a_variant_holds_until_something_else_is() -> None:
    (chart,) = history_charts(
        {"metrics": [metric([point(0, 0.1), point(2, 0.3)], [point(1, 0.2)])]}
    )
    b, c = chart.curves
    assert (b.values, c.values) == ([0.1, 0.1, 0.3], [None, 0.2, 0.2])
    assert (c.low[0], c.high[0]) == (None, None)


def test_of_two_looks_at_one_time_the_later_is_drawn() -> None:
    (chart,) = history_charts({"metrics": [metric([point(0, 0.1), point(0, 0.0)])]})
    assert chart.curves[0].values == [0.0]


def test_response_times_are_drawn_as_shares_of_the_control_not_as_logarithms() -> None:
    half = metric([point(0, log(0.5), 0.0)], metric="response_time_ms", unit="ln")
    (chart,) = history_charts({"metrics": [half]})
    assert (chart.unit, chart.curves[0].values) == ("share", [-0.5])
    assert "as a share of a. b: -50.0 %" in chart.words
    (wild,) = history_charts({"metrics": [half | metric([point(0, 0.0, 800.0)], unit="ln")]})
    assert (wild.curves[0].low, wild.curves[0].high) == ([-1.0], [None])
    assert "to unknown" in wild.words


def test_other_units_are_as_they_are_measured() -> None:
    units = {"USD": "usd", "tokens": "", "rating": ""}
    charts = history_charts({"metrics": [metric([point(0, -0.5)], unit=one) for one in units]})
    assert [one.unit for one in charts] == list(units.values())
    assert "b: -$0.5, interval -$0.52 to -$0.48" in charts[0].words


def test_without_a_look_there_is_nothing_to_draw_and_that_is_said() -> None:
    (chart,) = history_charts({"metrics": [metric([], [])]})
    assert chart.is_empty
    assert "b: no look had enough data; c: no look had enough data" in chart.words
