"""Alerts and rules in words: limits as they were set, values in their metric's unit."""

from typing import Any

import pytest

from services.gateway.domain.dashboard.alerts import observed, question
from services.gateway.domain.dashboard.feedback import trend_chart
from shared.alerts.rule import AlertRule

FOUND: dict[str, Any] = {
    "value": 0.2,
    "threshold": 0.00005,
    "interval": {"low": 0.1, "high": 0.3},
    "sample": 1200,
    "window": "1h",
}


def rule(**given: Any) -> dict[str, Any]:
    return AlertRule.model_validate({"name": "n"} | given).model_dump(mode="json")


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({"burn_rate": {"slo": 0.9995}}, "error budget of 99.95 % burns too fast"),
        (
            {"baseline": {"kind": "previous_version", "delta": 0.0005}},
            "error_rate worse than previous version by 0.05 pp",
        ),
        (
            {
                "metric": "response_time_ms.p95",
                "baseline": {"kind": "previous_version", "delta": 1250},
            },
            "response_time_ms.p95 worse than previous version by 1,250 ms",
        ),
        (
            {"operator": ">", "warning": 0.00005, "critical": 0.12345},
            "error_rate over 1h: warning > 0.005 %, critical > 12.345 %",
        ),
        (
            {"metric": "cost_usd.total", "operator": ">", "warning": 12.5},
            "cost_usd.total over 1h: warning > $12.5",
        ),
    ],
)
def test_what_a_rule_asks_is_what_was_set(given: dict[str, Any], asked: str) -> None:
    assert question(rule(**given)) == asked


@pytest.mark.parametrize(
    ("metric", "text", "limit"),
    [
        ("error_rate", "20.0 %", "limit 0.005 %"),
        ("response_time_ms.p95", "0.2 ms", "limit 5e-05 ms"),
        ("feedback.rating", "0.2", "limit 5e-05"),
        (None, "0.2", "limit 5e-05"),
    ],
)
def test_an_alert_speaks_in_the_unit_of_its_metric(
    metric: str | None, text: str, limit: str
) -> None:
    seen = observed(FOUND, metric)
    assert seen.text == text
    assert seen.hint.endswith(limit)
    assert "sample 1,200 in 1h" in seen.hint


def test_a_share_that_moves_does_so_by_points() -> None:
    trend = {"direction": "rising", "slope_per_day": 0.004, "days": 30}
    found = {"points": [], "trend": trend}
    assert "rising, 0.40 pp a day" in trend_chart("helpful", found).title
    assert "rising, 0.004 a day" in trend_chart("rating", found).title
