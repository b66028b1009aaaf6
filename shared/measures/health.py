"""A model's status from one window, gated by intervals and a minimum sample.

Rates are judged by the end of their interval: critical when even the better end is beyond the
critical limit, degraded likewise, excellent when even the worse end is below half the warning.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.measures import intervals
from shared.measures.sketch import key_of
from shared.measures.summary import buckets
from shared.views import Health

MIN_SAMPLE = 25
STATUS_WINDOWS = ("5m", "15m", "1h")


@dataclass(frozen=True, slots=True)
class Limits:
    """Shares above which a model is degraded (warn) or critical."""

    error_warn: float = 0.05
    error_critical: float = 0.20
    slow_ms: float = 10_000
    slow_warn: float = 0.05
    slow_critical: float = 0.25


DEFAULT_LIMITS = Limits()
WORST_FIRST = (Health.CRITICAL, Health.DEGRADED, Health.GOOD, Health.EXCELLENT)


def judge(cell: Mapping[str, int], limits: Limits = DEFAULT_LIMITS) -> tuple[Health, list[str]]:
    """Status of a window and the reasons, as sentences with numbers."""
    n = cell.get("n", 0)
    if n < MIN_SAMPLE:
        return Health.UNKNOWN, [f"{n} operations seen; a status needs {MIN_SAMPLE}."]
    errors = n - cell.get("ok", 0)
    border = key_of(limits.slow_ms)
    slow = sum(count for key, count in buckets(cell).items() if key > border)
    judged = [
        _rate("failed", errors, n, limits.error_warn, limits.error_critical),
        _rate(
            f"took longer than {limits.slow_ms / 1000:g} s",
            slow,
            n,
            limits.slow_warn,
            limits.slow_critical,
        ),
    ]
    worst = min((health for health, _ in judged), key=WORST_FIRST.index)
    return worst, [reason for health, reason in judged if health is worst]


def judge_widening(cells: Mapping[str, Mapping[str, int]]) -> tuple[Health, list[str]]:
    """Status over 5 minutes, or over 15 or 60 when fewer than the minimum were seen."""
    for window in STATUS_WINDOWS:
        if cells[window].get("n", 0) >= MIN_SAMPLE:
            break
    health, reasons = judge(cells[window])
    return health, [f"Over {window}: {reason}" for reason in reasons]


def _rate(what: str, bad: int, n: int, warn: float, critical: float) -> tuple[Health, str]:
    estimate = intervals.share(bad, n)
    assert estimate is not None and estimate.low is not None and estimate.high is not None  # noqa: S101, PT018 - n > 0
    measured = (
        f"{bad} of {n} operations {what}: {estimate.value:.1%} "
        f"({estimate.low:.1%} to {estimate.high:.1%})"
    )
    if estimate.low > critical:
        return Health.CRITICAL, f"{measured}, surely above {critical:.0%}."
    if estimate.low > warn:
        return Health.DEGRADED, f"{measured}, surely above {warn:.0%}."
    if estimate.high < warn / 2:
        return Health.EXCELLENT, f"{measured}, surely below {warn / 2:.1%}."
    return Health.GOOD, f"{measured}; not surely above {warn:.0%}."
