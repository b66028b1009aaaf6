"""Numbers as people read them."""

from datetime import UTC, datetime

import pytest

from services.gateway.domain.dashboard import wording
from services.gateway.domain.dashboard.drawing import HEIGHT, WIDTH, sparkline
from services.gateway.domain.dashboard.fleet import line

NOTHING = {"value": None, "low": None, "high": None}
TIMES = dict.fromkeys(("mean", "geometric_mean", "low", "high", "p50", "p95", "p99"))


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0.0 %"), (1, "100.0 %"), (0.99999, ">99.9 %"), (0.00001, "<0.1 %"), (0.9876, "98.8 %")],
)
def test_a_share_is_never_rounded_to_all_or_nothing(value: float, text: str) -> None:
    assert wording.share(value) == text


@pytest.mark.parametrize(
    ("word", "value", "text"),
    [
        (wording.milliseconds, 3.21, "3.2 ms"),
        (wording.milliseconds, 999, "999 ms"),
        (wording.milliseconds, 999.7, "1.00 s"),
        (wording.milliseconds, 9.97, "10 ms"),
        (wording.milliseconds, 0.03, "<0.1 ms"),
        (wording.milliseconds, 0, "0.0 ms"),
        (wording.milliseconds, 1234, "1.23 s"),
        (wording.plain, 12345.6, "12,346"),
        (wording.plain, 999.96, "1,000"),
        (wording.plain, -0.123456, "-0.1235"),
        (wording.exact, 1_234_567, "1,234,567"),
        (wording.exact_share, 0.99995, "99.995 %"),
        (wording.exact_share, 0.07, "7 %"),
        (wording.exact_share, 0.9999999, "99.99999 %"),
        (wording.exact_share, 1, "100 %"),
        (wording.exact_points, 0.0005, "0.05 pp"),
        (wording.exact_milliseconds, 1234.5, "1,234.5 ms"),
        (wording.exact_dollars, 0.00125, "$0.00125"),
        (wording.dollars, 0.00001234, "$1.234e-05"),
        (wording.dollars, 1234.5, "$1,234.50"),
        (wording.dollars, 0, "$0.00"),
        (wording.seconds, 0.9006, "0.9 s"),
        (wording.seconds, 7200, "120.0 min"),
        (wording.points, -0.0712, "-7.12 pp"),
        (wording.points, -1e-5, "0.00 pp"),
        (wording.seconds, 59.97, "1.0 min"),
        (wording.size, 1_048_576 * 1500, "1,500 MiB"),
        (wording.count, 1234567, "1,234,567"),
    ],
)
def test_units(word: wording.Wording, value: float, text: str) -> None:
    assert word(value) == text


def test_a_time_is_told_in_utc_whatever_it_came_as() -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert wording.instant(noon) == "2026-01-01 12:00:00 UTC"
    assert wording.instant("2026-01-01T13:00:00.5+01:00") == "2026-01-01 12:00:00 UTC"
    assert wording.instant(None) == wording.DASH


def test_what_was_not_observed_is_a_dash_and_says_so() -> None:
    shown = wording.interval(NOTHING, wording.share, "0 operations")
    assert shown == (wording.DASH, "nothing observed")
    found = {"model_id": "m", "status": "unknown", "reasons": [], "sample": 0}
    silent = line(found | {"success_rate": NOTHING, "response_time_ms": TIMES}, ())
    for value in (silent.success, silent.median, silent.slow, silent.throughput):
        assert value.text == wording.DASH
        assert "0" not in value.text
    assert silent.recent.points == ""


def test_a_number_tells_its_interval_and_its_sample() -> None:
    found = {"model_id": "m", "status": "good", "reasons": ["Fine."], "sample": 120}
    rate = {"value": 0.95, "low": 0.9, "high": 0.98}
    shown = line(found | {"success_rate": rate, "response_time_ms": TIMES | {"p50": 5.0}}, (1, 2))
    assert shown.success.text == "95.0 %"
    assert shown.success.hint == "95 % interval 90.0 % to 98.0 %, 120 operations in the last hour"
    assert shown.throughput.text == "2"


def test_a_line_stays_in_its_box_and_is_told_in_words() -> None:
    drawn = sparkline([0, 5, 10, 5, 2])
    places = [tuple(map(float, point.split(","))) for point in drawn.points.split()]
    assert [x for x, _ in places] == sorted(x for x, _ in places)
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in places)
    assert min(places, key=lambda one: one[1])[0] == places[2][0]
    assert "0, 5, 10, 5; 2 in the one under way" in drawn.words


@pytest.mark.parametrize("counts", [(), (0, 0), (7,)])
def test_little_to_draw_is_no_error(counts: tuple[int, ...]) -> None:
    assert sparkline(counts).points == ""


def test_a_line_does_not_fall_because_its_last_step_has_only_begun() -> None:
    assert sparkline([5, 5, 0]).points == sparkline([5, 5, 4]).points
    assert len(sparkline([5, 5, 0]).points.split()) == 2


def test_what_is_not_known_is_told_apart_from_nothing() -> None:
    assert sparkline(None) == ("", "not known right now")
    assert sparkline((0, 0)).words == "no operations in the last hour"
    assert sparkline((0, 7)).words == "7 in the last minutes, none before"
