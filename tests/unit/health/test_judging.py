"""A verdict of one look: gated by intervals, over the narrowest window that holds enough."""

import pytest

from shared.health.judging import Verdict, judge
from shared.health.limits import HealthLimits
from shared.measures import sketch
from shared.measures.cells import Cell, merged
from shared.views import Health

FAST, LATE = (f"d:{sketch.key_of(ms)}" for ms in (100, 20_000))


def operations(n: int, ok: int, *, late: int = 0) -> Cell:
    """Some of them successful, some of them slower than agreed."""
    return {"n": n, "ok": ok, FAST: n - late, LATE: late}


def over(cell: Cell, *windows: str) -> Verdict:
    return judge(dict.fromkeys(windows or ("5m", "15m", "1h", "24h", "7d"), cell))


@pytest.mark.parametrize(
    ("n", "ok", "expected"),
    [
        (4, 1, Health.UNKNOWN),
        (24, 24, Health.UNKNOWN),
        (25, 25, Health.GOOD),
        (2_000, 2_000, Health.EXCELLENT),
        (100, 85, Health.DEGRADED),
        (100, 50, Health.CRITICAL),
        (30, 28, Health.GOOD),
        (9, 0, Health.UNKNOWN),
        (10, 0, Health.CRITICAL),
        (11, 1, Health.UNKNOWN),
    ],
)
def test_a_status_needs_a_sample_and_an_interval(n: int, ok: int, expected: Health) -> None:
    verdict = over(operations(n, ok))
    assert verdict.status is expected
    assert str(n) in verdict.reasons[0]


def test_reasons_are_sentences_with_numbers() -> None:
    assert over(operations(100, 60)).reasons == [
        "Over 5m: 40 of 100 operations failed: 40.0% (30.9% to 49.8%), surely above 20%."
    ]
    assert over(operations(100, 100, late=15)).reasons == [
        "Over 5m: 15 of 100 operations took longer than 10 s: 15.0% (9.3% to 23.3%), "
        "surely above 5%."
    ]
    assert over(operations(3, 0)).reasons == ["3 operations seen in 1h; a status needs 25."]
    assert over(operations(10, 0)).reasons[0].endswith("and nothing else was seen.")


def test_the_narrowest_window_that_holds_enough_is_judged() -> None:
    little, much = operations(5, 0), operations(1_000, 1_000)
    verdict = judge({"5m": little, "15m": much, "1h": operations(2_000, 0)})
    assert {one.window for one in verdict.measures[:2]} == {"15m"}
    assert verdict.status is Health.EXCELLENT


def test_what_nobody_says_does_not_make_a_model_unknown() -> None:
    verdict = over(operations(1_000, 1_000))
    assert {one.name: one.status for one in verdict.measures} == {
        "failures": Health.EXCELLENT,
        "slow": Health.EXCELLENT,
        "calibration_error": Health.UNKNOWN,
        "unhelpful": Health.UNKNOWN,
        "rating": Health.UNKNOWN,
    }
    assert verdict.status is Health.EXCELLENT


@pytest.mark.parametrize(
    ("said", "measure", "expected"),
    [
        ({"helpful_n": 100, "helpful": 40}, "unhelpful", Health.DEGRADED),
        ({"helpful_n": 100, "helpful": 20}, "unhelpful", Health.CRITICAL),
        ({"rating_n": 100, "rating": 220, "rating2": 584}, "rating", Health.DEGRADED),
        ({"rating_n": 100, "rating": 120, "rating2": 160}, "rating", Health.CRITICAL),
        ({"conf_n": 400, "k:9:n": 400, "k:9:c": 380_000_000, "k:9:o": 200}, "calibration_error",
         Health.CRITICAL),
    ],
)  # fmt: skip
def test_every_measure_can_make_the_status(said: Cell, measure: str, expected: Health) -> None:
    verdict = over(merged([operations(1_000, 1_000), said]))
    assert verdict.states[measure].status is expected
    assert verdict.status is expected
    assert len(verdict.reasons) == 1


def test_bad_feedback_counts_also_where_operations_are_few() -> None:
    assert over({"helpful_n": 100, "helpful": 10}).status is Health.CRITICAL
    assert over({"helpful_n": 100, "helpful": 100}).status is Health.UNKNOWN


def test_a_state_is_left_only_when_the_value_itself_is_back() -> None:
    high, lower, back = (operations(1_000, ok) for ok in (920, 940, 952))
    first = judge({"5m": high})
    assert first.status is Health.DEGRADED
    assert judge({"5m": lower}).status is Health.GOOD
    held = judge({"5m": lower}, held=first.states)
    assert held.status is Health.DEGRADED
    assert "not back below 5% yet" in held.reasons[0]
    assert judge({"5m": back}, held=held.states).status is Health.GOOD


def test_excellence_too_is_left_only_when_the_value_is_back() -> None:
    first = judge({"5m": operations(1_000, 990)})
    assert first.states["failures"].status is Health.EXCELLENT
    assert judge({"5m": operations(1_000, 980)}).states["failures"].status is Health.GOOD
    held = judge({"5m": operations(1_000, 980)}, held=first.states)
    assert held.states["failures"].status is Health.EXCELLENT
    left = judge({"5m": operations(1_000, 974)}, held=held.states)
    assert left.states["failures"].status is Health.GOOD


def test_what_was_known_stays_known_with_a_little_less() -> None:
    known = over(operations(25, 25))
    cells = {"1h": operations(15, 15)}
    assert judge(cells).status is Health.UNKNOWN
    assert judge(cells, held=known.states).status is Health.GOOD
    assert judge({"1h": operations(14, 14)}, held=known.states).status is Health.UNKNOWN


def test_a_window_is_left_only_when_it_holds_clearly_less() -> None:
    hour = operations(100, 40)
    narrow = judge({"15m": operations(25, 25), "1h": hour})
    assert narrow.status is Health.GOOD
    fewer = {"15m": operations(24, 24), "1h": hour}
    assert judge(fewer).status is Health.CRITICAL
    assert judge(fewer, held=narrow.states).status is Health.GOOD
    least = judge({"15m": operations(14, 14), "1h": hour}, held=narrow.states)
    assert least.status is Health.CRITICAL
    # And from the hour back to the quarter only with all that is needed.
    assert judge(fewer, held=least.states).status is Health.CRITICAL


def test_never_is_never() -> None:
    never = HealthLimits.model_validate({"failures": {"warning": 1, "critical": 1}})
    assert judge({"5m": operations(10, 0)}, never).states["failures"].status is not Health.CRITICAL


def test_a_measure_without_limits_is_not_judged() -> None:
    bad = {"5m": operations(1_000, 0)}
    only_slow = HealthLimits.model_validate({"failures": None})
    assert judge(bad, only_slow).status is Health.EXCELLENT
    nothing = dict.fromkeys(HealthLimits.model_fields.keys() - {"min_sample"})
    verdict = judge(bad, HealthLimits.model_validate(nothing))
    assert (verdict.status, verdict.measures) == (Health.UNKNOWN, [])
    assert verdict.reasons == ["The limits judge no measure."]


def test_of_windows_that_are_not_there_nothing_is_said() -> None:
    verdict = judge({"1h": operations(3, 3) | {"helpful_n": 7}})
    assert {one.name: (one.window, one.sample) for one in verdict.measures} == {
        "failures": ("1h", 3),
        "slow": ("1h", 3),
        "calibration_error": ("1h", 0),
        "unhelpful": ("1h", 7),
        "rating": ("1h", 0),
    }


def test_one_window_can_stand_for_all() -> None:
    verdict = judge({"24h": operations(1_000, 500)}, windows=("24h",))
    assert verdict.status is Health.CRITICAL
    assert verdict.reasons[0].startswith("Over 24h: ")
