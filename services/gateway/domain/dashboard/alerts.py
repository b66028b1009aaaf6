"""Alerts and rules as people read them."""

from collections.abc import Mapping
from typing import Any, Final

from services.gateway.domain.dashboard.charts import limit_word_of, unit_of, word_of
from services.gateway.domain.dashboard.wording import (
    Shown,
    exact_points,
    exact_share,
    interval,
    worded,
)

LIVE: Final = ("pending", "firing", "acknowledged")
TAKEABLE: Final = ("firing", "acknowledged")


def observed(found: Mapping[str, Any], metric: str | None) -> Shown:
    """What an alert or a trial saw, with its interval; a rule that is gone has no metric."""
    unit = unit_of(metric or "")
    limit = worded(found["threshold"], limit_word_of(unit))
    seen = {"value": found["value"], **found["interval"]}
    of = f"sample {found['sample']:,} in {found['window']}, limit {limit}"
    return interval(seen, word_of(unit), of)


def question(rule: Mapping[str, Any]) -> str:
    """What a rule asks, in a few words."""
    unit = unit_of(rule["metric"])
    word = limit_word_of(unit)
    if rule["burn_rate"]:
        return f"error budget of {exact_share(rule['burn_rate']['slo'])} burns too fast"
    if rule["baseline"]:
        against = rule["baseline"]["kind"].replace("_", " ")
        by = (exact_points if unit == "share" else word)(rule["baseline"]["delta"])
        return f"{rule['metric']} worse than {against} by {by}"
    named = [
        f"{severity} {rule['operator']} {word(rule[severity])}"
        for severity in ("warning", "critical")
        if rule[severity] is not None
    ]
    return f"{rule['metric']} over {rule['window']}: {', '.join(named)}"


def scope(rule: Mapping[str, Any]) -> str:
    """What a rule looks at."""
    named = [f"{name} {value}" for name, value in rule["filter"].items() if value is not None]
    return ", ".join(named) or "everything"
