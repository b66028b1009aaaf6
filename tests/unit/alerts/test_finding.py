"""What a rule sees: nothing below its sample, nothing that the interval does not show."""

from typing import Any

import pytest

from shared.alerts.burning import look_at_burning
from shared.alerts.finding import Finding, look, recovery_limit
from shared.alerts.no_data import silent
from shared.alerts.rule import AlertRule, Severity
from shared.measures.cells import Cell
from shared.measures.sketch import key_of

WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL


def rule(**fields: Any) -> AlertRule:
    return AlertRule.model_validate({"name": "r"} | fields)


ERRORS = rule(metric="error_rate", operator=">", warning=0.05, critical=0.2)
SUCCESS = rule(metric="success_rate", operator="<", warning=0.95, critical=0.8)


def outcomes(bad: int, n: int) -> Cell:
    return {"n": n, "ok": n - bad}


def at(cell: Cell, of: AlertRule = ERRORS) -> Finding:
    return look(of, {of.window: cell})


@pytest.mark.parametrize(
    ("bad", "n", "severity", "cleared"),
    [
        pytest.param(3, 4, None, None, id="three of four is too few to say"),
        pytest.param(24, 24, None, None, id="even when all fail"),
        pytest.param(25, 25, CRITICAL, None, id="at the sample it speaks"),
        pytest.param(4, 30, None, None, id="the point is beyond, the interval is not"),
        pytest.param(15, 100, WARNING, None, id="surely above the warning"),
        pytest.param(100, 300, CRITICAL, None, id="surely above critical"),
        pytest.param(50, 200, WARNING, None, id="perhaps critical is a warning"),
        pytest.param(9, 100, None, CRITICAL, id="below half of critical, not of the warning"),
        pytest.param(2, 100, None, WARNING, id="below half of the warning"),
    ],
)
def test_limits(bad: int, n: int, severity: Severity, cleared: Severity) -> None:
    for of in (ERRORS, SUCCESS):
        found = at(outcomes(bad, n), of)
        assert (found.severity, found.cleared) == (severity, cleared), of.metric
        assert found.sample == n


def test_a_point_gate_asks_for_no_certainty() -> None:
    bold = ERRORS.model_copy(update={"gate": "point"})
    assert at(outcomes(3, 30)).severity is None
    assert at(outcomes(3, 30), bold).severity is WARNING


def test_the_reason_has_the_numbers() -> None:
    assert at(outcomes(100, 300)).reason == (
        "error_rate over 1h is 0.3333 (0.2555 to 0.4214), surely above 0.2, from 300 observations."
    )
    assert at(outcomes(1, 4)).reason == "4 observations of error_rate in 1h; the rule needs 25."


def test_a_percentile_that_the_sample_cannot_bound_fires_from_below_only() -> None:
    slow = rule(metric="response_time_ms.p95", operator=">", warning=1_000)
    fast = rule(metric="response_time_ms.p95", operator="<", warning=5_000)
    cell = {"n": 30, f"d:{key_of(3_000)}": 30}
    assert at(cell, slow).severity is WARNING
    assert at(cell, fast).severity is None, "30 values say nothing of how high p95 may be"


def test_a_total_needs_no_sample_and_has_no_doubt() -> None:
    costs = rule(metric="cost_usd.total", operator=">", warning=1)
    found = at({"n": 2, "cost_n": 2, "cost_nano": 3_000_000_000}, costs)
    assert (found.severity, found.value, found.low, found.high) == (WARNING, 3, 3, 3)
    assert at({"n": 2}, costs).cleared is WARNING
    assert at({}, costs).cleared is None, "nothing seen is not cheap"


def test_recovery_is_half_of_a_bad_share_and_the_limit_itself_of_all_else() -> None:
    assert recovery_limit(ERRORS, 0.05) == 0.025
    assert recovery_limit(SUCCESS, 0.95) == pytest.approx(0.975)
    assert recovery_limit(rule(metric="feedback.rating", operator="<", warning=3), 3) == 3
    given = ERRORS.model_copy(update={"recovery": 0.04})
    assert recovery_limit(given, 0.05) == 0.04


@pytest.mark.parametrize(
    ("now", "then", "severity"),
    [
        pytest.param((30, 200), (2, 200), WARNING, id="surely ten points worse"),
        pytest.param((16, 200), (2, 200), None, id="worse, but not surely by five points"),
        pytest.param((2, 200), (30, 200), None, id="better"),
        pytest.param((20, 24), (2, 200), None, id="too few now"),
        pytest.param((150, 200), (2, 24), None, id="too few then"),
    ],
)
def test_a_baseline(now: tuple[int, int], then: tuple[int, int], severity: Severity) -> None:
    for metric in ("error_rate", "success_rate"):
        of = rule(metric=metric, baseline={"kind": "same_hour_last_week", "delta": 0.04})
        found = look(of, {"1h": outcomes(*now), "1h@7d": outcomes(*then)})
        assert found.severity is severity, metric


def against(now: Cell, then: Cell, **fields: Any) -> Finding:
    """A look with a baseline of last week, four points worse unless said."""
    past = {"kind": "same_hour_last_week", "delta": fields.pop("delta", 0.04)}
    return look(rule(baseline=past, **fields), {"1h": now, "1h@7d": then})


@pytest.mark.parametrize(
    ("bad", "cleared", "says"),
    [
        pytest.param(30, None, "surely worse by more than 0.04", id="bad"),
        pytest.param(16, None, "not surely worse by more than 0.04", id="perhaps"),
        pytest.param(5, WARNING, "not worse by more than 0.02", id="over"),
        pytest.param(0, WARNING, "not worse by more than 0.02", id="better"),
    ],
)
def test_a_baseline_says_what_it_compared(bad: int, cleared: Severity, says: str) -> None:
    then = outcomes(2, 200)
    found = against(outcomes(bad, 200), then)
    assert found.cleared is cleared
    assert found.threshold == pytest.approx(0.05)
    assert found.reason == (
        f"error_rate over 1h is {bad / 200:.4g}, it was 0.01 in the same hour last week: {says}."
    )
    less = against(outcomes(bad, 200), then, metric="success_rate")
    assert less.cleared is cleared
    assert less.threshold == pytest.approx(0.95), "less is worse"
    assert less.reason == (
        f"success_rate over 1h is {1 - bad / 200:.4g}, it was 0.99 in the same hour last week: "
        f"{says}."
    )
    assert less.sample == found.sample == 200


def test_a_baseline_with_a_point_gate_is_sure_of_nothing() -> None:
    found = against(outcomes(16, 200), outcomes(2, 200), gate="point")
    assert found.severity is WARNING
    assert found.reason.endswith("last week: worse by more than 0.04.")
    calm = against(outcomes(9, 200), outcomes(2, 200), gate="point")
    assert (calm.severity, calm.cleared) == (None, None)
    assert calm.reason.endswith("last week: not worse by more than 0.04.")


def test_a_baseline_says_in_which_hour_there_was_too_little() -> None:
    found = against(outcomes(150, 200), outcomes(2, 24))
    assert found.sample == 200
    assert found.reason == (
        "24 observations of error_rate in the same hour last week; the rule needs 25."
    )
    assert "24 observations of error_rate in 1h;" in against(outcomes(9, 24), {}).reason


def test_what_is_counted_is_compared_without_doubt() -> None:
    dear, cheap = {"n": 2, "cost_n": 2, "cost_nano": 9_000_000_000}, {"n": 1}
    costs = against(dear, cheap, metric="cost_usd.total", delta=8)
    assert (costs.severity, costs.value, costs.threshold) == (WARNING, 9, 8)
    assert against(cheap, dear, metric="cost_usd.total", delta=8).cleared is WARNING
    assert against(dear, {}, metric="cost_usd.total", delta=8).severity is None, "nothing then"
    busy, idle = {"n": 6_000, "ok": 6_000}, {"n": 60, "ok": 60}
    fell = against(idle, busy, metric="throughput_per_minute", delta=98)
    assert (fell.severity, fell.value, fell.threshold) == (WARNING, 1, 2)
    assert against(idle, busy, metric="throughput_per_minute", delta=99).severity is None
    assert against(busy, idle, metric="throughput_per_minute", delta=98).cleared is WARNING
    assert against({}, busy, metric="throughput_per_minute", delta=98).severity is None


BURN = rule(burn_rate={"slo": 0.99})


@pytest.mark.parametrize(
    ("cells", "severity"),
    [
        pytest.param({"1h": (30, 100), "5m": (3, 8)}, CRITICAL, id="fast, and still"),
        pytest.param({"1h": (30, 100), "5m": (0, 8)}, None, id="fast, but it is over"),
        pytest.param({"1h": (2, 2), "5m": (2, 2)}, None, id="two bad events are no page"),
        pytest.param({"1h": (3, 15), "5m": (3, 3)}, None, id="three of 15 are not surely 14 %"),
        pytest.param({"6h": (60, 600), "30m": (5, 50)}, CRITICAL, id="six times, for hours"),
        pytest.param({"24h": (120, 2400), "2h": (10, 200)}, WARNING, id="three times, for a day"),
        pytest.param({"3d": (110, 7200), "6h": (10, 600)}, WARNING, id="slowly, for days"),
    ],
)
def test_burn_rates(cells: dict[str, tuple[int, int]], severity: Severity) -> None:
    found = look_at_burning(BURN, {window: outcomes(*counts) for window, counts in cells.items()})
    assert found.severity is severity


def test_a_burn_is_over_when_the_short_windows_are() -> None:
    calm = {"1h": outcomes(0, 100), "5m": outcomes(0, 8)}
    assert look_at_burning(BURN, calm).cleared is WARNING
    slow = calm | {"3d": outcomes(100, 7200), "6h": outcomes(6, 600)}
    assert look_at_burning(BURN, slow).cleared is CRITICAL


def test_a_short_window_in_which_nothing_came_shows_no_recovery() -> None:
    stopped = {"1h": outcomes(30, 100), "5m": outcomes(0, 0)}
    found = look_at_burning(BURN, stopped)
    assert (found.severity, found.cleared) == (None, None)


def test_two_values_far_apart_bound_nothing_and_break_nothing() -> None:
    of = rule(metric="response_time_ms.mean", operator=">", warning=10, min_sample=2)
    logs = [0.0, 11.5]
    cell = {
        "n": 2, "rt_us": 100_001_000,
        "ln": round(sum(logs) * 1e6), "ln2": round(sum(x * x for x in logs) * 1e6),
    }  # fmt: skip
    assert at(cell, of).severity is None


def test_an_unusual_direction_recovers_at_its_limit() -> None:
    too_good = rule(metric="success_rate", operator=">", warning=0.99)
    assert recovery_limit(too_good, 0.99) == 0.99


@pytest.mark.parametrize(
    ("policy", "severity", "cleared"),
    [("keep", None, None), ("resolve", None, WARNING), ("alert", CRITICAL, None)],
)
def test_no_data(policy: str, severity: Severity | None, cleared: Severity | None) -> None:
    of = ERRORS.model_copy(update={"no_data": policy})
    assert silent(of, 2 * 3600 - 1) is None
    found = silent(of, 2 * 3600)
    assert found is not None
    assert (found.severity, found.cleared) == (severity, cleared)
    assert found.reason == "Nothing came for 120 minutes, 2 windows of 1h."
