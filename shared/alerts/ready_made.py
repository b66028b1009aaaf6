"""Rules that a new tenant has from the start."""

from collections.abc import Mapping
from typing import Any

from shared.alerts.rule import AlertRule

_RULES: tuple[Mapping[str, Any], ...] = (
    {"name": "success rate burns its budget", "burn_rate": {"slo": 0.99}},
    {
        "name": "slow answers",
        "metric": "response_time_ms.p95",
        "operator": ">",
        "warning": 10_000,
        "critical": 30_000,
        "window": "15m",
        "min_sample": 100,
    },
    {
        "name": "cost of an hour",
        "metric": "cost_usd.total",
        "operator": ">",
        "warning": 10,
        "critical": 100,
    },
    {
        "name": "ratings dropped",
        "metric": "feedback.rating",
        "operator": "<",
        "warning": 3.5,
        "critical": 2.5,
        "window": "24h",
        "recovery": 3.8,
    },
    {
        "name": "confidence lost its meaning",
        "metric": "confidence.calibration_error",
        "operator": ">",
        "warning": 0.1,
        "critical": 0.25,
        "window": "24h",
    },
    {
        "name": "a model fell silent",
        "metric": "throughput_per_minute",
        "operator": "<",
        "warning": 0,
        "window": "24h",
        "no_data": "alert",
    },
)
READY_MADE = tuple(AlertRule.model_validate(rule) for rule in _RULES)
