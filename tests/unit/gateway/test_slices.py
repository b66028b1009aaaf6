"""Borders of what is summed from rows."""

from datetime import UTC, datetime, timedelta

from services.gateway.domain.slices import by_window, judged_windows, step_borders, step_start

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def after(**time: float) -> datetime:
    return NOON + timedelta(**time)


def test_a_window_is_judged_together_with_those_a_status_looks_back_over() -> None:
    assert judged_windows("24h") == ["24h", "1h", "15m", "5m"]
    assert judged_windows("15m") == ["1h", "15m", "5m"]


def test_a_wider_window_holds_the_narrower_ones() -> None:
    cells = by_window(["1h", "15m", "5m"], [{"n": 1}, {"n": 10, "ok": 2}, {"n": 100}])
    assert cells == {"1h": {"n": 111, "ok": 2}, "15m": {"n": 110, "ok": 2}, "5m": {"n": 100}}


def test_steps_lie_where_the_clock_shows_them_and_the_span_cuts_the_first_and_the_last() -> None:
    borders = step_borders((after(minutes=3), after(minutes=12)), 300)
    assert borders == [after(minutes=minute) for minute in (3, 5, 10, 12)]
    assert step_start(borders[0], 300) == NOON


def test_a_minute_counts_that_begins_in_the_span() -> None:
    tick = timedelta(microseconds=1)
    assert step_borders((NOON, after(minutes=2)), 60) == [
        after(minutes=minute) for minute in (0, 1, 2)
    ]
    span = (NOON + tick, after(minutes=2) + tick)
    assert step_borders(span, 60) == [after(minutes=minute) for minute in (1, 2, 3)]


def test_a_span_in_which_no_minute_begins_has_no_steps() -> None:
    assert step_borders((after(seconds=1), after(seconds=59)), 60) == []
