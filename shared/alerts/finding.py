"""What a rule sees in its windows right now: a severity, or why there is none."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from shared.alerts.rule import AlertRule, Severity
from shared.keys import WINDOWS
from shared.measures.intervals import Estimate

Cell = Mapping[str, int]
Cells = Mapping[str, Cell]
"""Window -> what it holds of one group; `past_of(rule)` for what a baseline compares it with."""

# One-sided: a page must be surer than a warning.
CERTAINTY = {Severity.WARNING: 0.99, Severity.CRITICAL: 0.999}
LAST_WEEK = {window: f"{window}@7d" for window in WINDOWS}
PREVIOUS = {window: f"{window}@previous" for window in WINDOWS}
"""What was last seen of the version before."""
EMPTY: Cell = {}


def past_of(rule: AlertRule) -> str:
    """Under which name a baseline finds what it compares with."""
    return (PREVIOUS if rule.of_version else LAST_WEEK)[rule.window]


class Finding(NamedTuple):
    """One look at one group."""

    severity: Severity | None
    cleared: Severity | None
    """From which severity on an alert may end: `WARNING` ends any, `CRITICAL` lets a critical one
    go on as a warning, `None` changes nothing."""
    value: float | None
    threshold: float | None
    low: float | None
    high: float | None
    sample: int
    window: str
    reason: str


# What a look answers about a healthy group when nobody asks for more.
CALM = Finding(None, None, None, None, None, None, 0, "", "")


def look(rule: AlertRule, cells: Cells, *, whole: bool = True) -> Finding:
    """Evaluate a rule with limits or a baseline; for burn rates see `shared.alerts.burning`.

    Without `whole` a group that is not bad is merely calm, which takes a fifth less time.
    """
    if rule.baseline is not None:
        return _against_past(rule, cells, whole=whole)
    cell = cells.get(rule.window, EMPTY)
    short = _too_few(rule, cell, rule.window)
    if short is not None:
        return short
    value = _estimate(rule, cell, rule.window, CERTAINTY[Severity.WARNING]).value
    for severity, limit in ((Severity.CRITICAL, rule.critical), (Severity.WARNING, rule.warning)):
        # The bound lies on the good side of the value: most looks end here, without one.
        if limit is None or not _is_beyond(rule, value, limit):
            continue
        estimate = _estimate(rule, cell, rule.window, CERTAINTY[severity])
        if rule.gate == "point" or _is_beyond(rule, _good_end(rule, estimate), limit):
            return _seen(rule, cell, severity, limit, estimate)
    if not whole:
        return CALM
    limit = rule.warning if rule.warning is not None else rule.critical
    assert limit is not None  # noqa: S101 - a rule with an operator has one
    return _calm(rule, cell, value, limit)


def _too_few(rule: AlertRule, cell: Cell, where: str) -> Finding | None:
    """A sample too small to say anything: neither bad nor good."""
    metric = rule.watched
    sample = cell.get(metric.sample, 0)
    needed = max(metric.least, 0 if metric.exact else rule.min_sample)
    if metric.exact and cell.get("n", 0) + cell.get("f_n", 0) > 0:
        return None  # a total of nothing is 0, once anything was seen at all
    if sample >= needed:
        return None
    reason = f"{sample} observations of {metric.name} in {where}; the rule needs {needed}."
    return Finding(None, None, None, None, None, None, sample, rule.window, reason)


def _estimate(rule: AlertRule, cell: Cell, window: str, one_sided: float) -> Estimate:
    found = rule.watched.take(cell, WINDOWS[window.partition("@")[0]], 2 * one_sided - 1)
    assert found is not None  # noqa: S101 - the sample was checked
    return found


def _good_end(rule: AlertRule, estimate: Estimate) -> float | None:
    return estimate.low if rule.is_upper else estimate.high


def _is_beyond(rule: AlertRule, value: float | None, limit: float) -> bool:
    """Whether a value is on the bad side of a limit; an end that is not bounded never is."""
    if value is None:
        return False
    match rule.operator:
        case "<":
            return value < limit
        case "<=":
            return value <= limit
        case ">=":
            return value >= limit
        case _:
            return value > limit


def _seen(
    rule: AlertRule, cell: Cell, severity: Severity, limit: float, estimate: Estimate
) -> Finding:
    sample = cell.get(rule.watched.sample, 0)
    side = "above" if rule.is_upper else "below"
    surely = f" ({_span(estimate)}), surely {side}" if rule.gate == "interval" else f", {side}"
    reason = (
        f"{rule.metric} over {rule.window} is {estimate.value:.4g}{surely} {limit:.4g}, "
        f"from {sample} observations."
    )
    return Finding(
        severity,
        _cleared(rule, estimate.value),
        estimate.value,
        limit,
        estimate.low,
        estimate.high,
        sample,
        rule.window,
        reason,
    )


def _calm(rule: AlertRule, cell: Cell, value: float, limit: float) -> Finding:
    cleared = _cleared(rule, value)
    side = "below" if rule.is_upper else "above"
    sample = cell.get(rule.watched.sample, 0)
    reason = f"{rule.metric} over {rule.window} is {value:.4g}, " + (
        f"{side} {recovery_limit(rule, limit):.4g}."
        if cleared is Severity.WARNING
        else f"not surely beyond {limit:.4g}."
    )
    return Finding(None, cleared, value, limit, None, None, sample, rule.window, reason)


def _cleared(rule: AlertRule, value: float) -> Severity | None:
    def ended(limit: float | None) -> bool:
        return limit is None or not (
            _is_beyond(rule, value, limit) or _is_beyond(rule, value, recovery_limit(rule, limit))
        )

    if ended(rule.warning) and ended(rule.critical):
        return Severity.WARNING
    return Severity.CRITICAL if rule.critical is not None and ended(rule.critical) else None


def recovery_limit(rule: AlertRule, limit: float) -> float:
    """Where an alert may end: as given, else half the bad share, else the limit itself.

    Half of a latency or a rating would be a state that a model may never have been in.
    """
    if rule.recovery is not None:
        return rule.recovery
    if not rule.watched.is_share or rule.is_upper != rule.watched.more_is_worse:
        return limit
    return limit / 2 if rule.is_upper else 1 - (1 - limit) / 2


def _against_past(rule: AlertRule, cells: Cells, *, whole: bool) -> Finding:
    """The worsening since last week or the previous version, in the direction that is worse."""
    assert rule.baseline is not None  # noqa: S101 - the caller looked
    cell, past = cells.get(rule.window, EMPTY), cells.get(past_of(rule), EMPTY)
    where = "the version before" if rule.of_version else "the same hour last week"
    sample = cell.get(rule.watched.sample, 0)
    short = _too_few(rule, cell, rule.window) or _too_few(rule, past, where)
    if short is not None:
        return short._replace(sample=sample)
    certainty = CERTAINTY[Severity.WARNING]
    now = _estimate(rule, cell, rule.window, certainty)
    then = _estimate(rule, past, rule.window, certainty)
    sign = 1 if rule.watched.more_is_worse else -1
    more, less = (now, then) if sign > 0 else (then, now)
    worse, delta = more.value - less.value, rule.baseline.delta
    surely = worse if rule.gate == "point" else _at_least(more, less)
    severity = Severity.WARNING if surely is not None and surely > delta else None
    if severity is None and not whole:
        return CALM
    cleared = Severity.WARNING if worse <= delta / 2 else None
    sure = "surely " if rule.gate == "interval" else ""
    reason = (
        f"{rule.metric} over {rule.window} is {now.value:.4g}, it was {then.value:.4g} in {where}: "
    ) + (
        f"{sure}worse by more than {delta:.4g}."
        if severity
        else f"not worse by more than {delta / 2:.4g}."
        if cleared
        else f"not {sure}worse by more than {delta:.4g}."
    )
    limit = then.value + sign * delta
    return Finding(
        severity, cleared, now.value, limit, now.low, now.high, sample, rule.window, reason
    )


def _at_least(more: Estimate, less: Estimate) -> float | None:
    """The lower end of MOVER's interval of a difference; `None` where it is not bounded.

    d - sqrt((p1 - l1)^2 + (u2 - p2)^2). Source: Zou and Donner 2008.
    """
    if more.low is None or less.high is None:
        return None
    return more.value - less.value - math.hypot(more.value - more.low, less.high - less.value)


def _span(estimate: Estimate) -> str:
    low, high = ("?" if end is None else f"{end:.4g}" for end in estimate[1:])
    return f"{low} to {high}"
