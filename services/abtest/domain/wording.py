"""Numbers as people read them: points, percentages, days; as many digits as are known."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from services.abtest.domain.compared import Compared
from services.abtest.domain.guarding import LOGARITHMIC
from shared.experiments.answers import Comparison, Undefined
from shared.experiments.margins import MARGIN
from shared.experiments.metrics import SHARES, MetricConfig, MetricName
from shared.experiments.relative import Lift, as_ratio

MOST_DECIMALS = 8
LONG_DAYS = 730

NAMES: Final[dict[MetricName, str]] = {
    "success_rate": "success rate",
    "response_time_ms": "response time",
    "share_slower_than_slo": "share of slow answers",
    "rating": "rating",
    "helpful": "share called helpful",
    "accurate": "share called accurate",
    "relevant": "share called relevant",
    "fast": "share called fast",
    "tokens": "tokens per operation",
    "cost_usd": "cost per operation",
    "confidence": "stated confidence",
}
OUTCOMES: Final[dict[MetricName, str]] = {
    "success_rate": "an operation",
    "response_time_ms": "a response time",
    "share_slower_than_slo": "a response time",
    "rating": "a rating",
    "helpful": "a judgement",
    "accurate": "a judgement",
    "relevant": "a judgement",
    "fast": "a judgement",
    "tokens": "tokens",
    "cost_usd": "a cost",
    "confidence": "a confidence",
}
"""What a unit must have to count in a metric."""


def effect(row: Compared, than: str = "") -> str:
    """`success rate 1.9 points higher (0.7 to 3.1)`, `response time 4 % slower (1 to 7 %)`."""
    name = NAMES[row.metric.name]
    if row.shown is None:
        return f"{name} unknown"
    return f"{name} {_change(row, f' than {than}' if than else '')}"


def harm(row: Compared) -> str:
    """The same of a guardrail, by the one-sided bound that found the harm: it never covers 0."""
    if row.guard is None or row.guard.harm.bound is None or isinstance(row.diff, Undefined):
        return effect(row)
    middle, half = row.diff.effect, row.guard.reach * row.diff.se
    shown = Comparison(middle, middle - half, middle + half, row.guard.harm.p)
    lift = as_ratio(shown) if row.metric.name == LOGARITHMIC else None
    return effect(replace(row, shown=shown, lift=lift if isinstance(lift, Lift) else None))


def amount(metric: MetricName, value: float) -> str:
    """A distance in the metric's unit: of response times a share, from its logarithm."""
    if metric == LOGARITHMIC:
        return _percent(math.expm1(value))
    if metric in SHARES:
        return _with_unit(_single(100 * value), "points")
    return f"${_single(value)}" if metric == "cost_usd" else _single(value)


def allowed(metric: MetricConfig) -> str:
    """How much worse a guardrail may get."""
    if metric.margin is None or metric.relative:
        return _percent(MARGIN if metric.margin is None else metric.margin)
    if metric.name == LOGARITHMIC:
        return f"{_single(metric.margin)} ms"
    return amount(metric.name, metric.margin)


def share(value: float) -> str:
    """A share with two digits that say something."""
    return _percent(value)


def money(value: float) -> str:
    """USD of an operation."""
    return f"${_single(value)}"


def days(value: float) -> str:
    """A wait."""
    if value > LONG_DAYS:
        return "more than two years"
    whole = math.ceil(value - 0.25)
    if whole < 1 or value < 0.75:
        return "less than a day"
    return f"about {whole:,} day{'s' if whole > 1 else ''}"


def listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _change(row: Compared, than: str) -> str:
    shown = row.shown
    if shown is None or shown.effect == 0:
        return f"the same{_around(row)}"
    values, unit, words = _scaled(row)
    up = shown.effect > 0
    word = words[0] if up else words[1]
    turned = [value if up else -value for value in values]
    if len(turned) == 1:
        return f"{_with_unit(_single(turned[0]), unit)} {word}{than}"
    middle, low, high = _rounded([turned[0], min(turned[1:]), max(turned[1:])])
    closing = " %" if unit == "%" else ""
    ends = f"{_end(low, unit)} to {_end(high, unit)}{closing}"
    return f"{_with_unit(middle, unit)} {word}{than} ({ends})"


def _around(row: Compared) -> str:
    values, unit, _ = _scaled(row)
    if len(values) == 1:
        return ""
    _, low, high = _rounded([0.0, *values[1:]])
    closing = {"%": " %", "points": " points"}.get(unit, "")
    return f" ({_end(low, unit)} to {_end(high, unit)}{closing})"


def _scaled(row: Compared) -> tuple[list[float], str, tuple[str, str]]:
    """Effect and ends on the scale that is read, its unit, and the words for up and down."""
    metric, shown = row.metric.name, row.shown
    if shown is None or isinstance(row.diff, Undefined):
        return [0.0], "", ("higher", "lower")
    found = [shown.effect]
    if shown.low is not None and shown.high is not None:
        found += [shown.low, shown.high]
    if metric == LOGARITHMIC:
        lift = row.lift
        shares = [math.expm1(shown.effect)] if lift is None else [lift.effect, lift.low, lift.high]
        return [100 * one for one in shares], "%", ("slower", "faster")
    if metric in SHARES:  # no share moves by more than all of it
        return [100 * max(-1.0, min(1.0, one)) for one in found], "points", ("higher", "lower")
    return found, "$" if metric == "cost_usd" else "", ("higher", "lower")


def _with_unit(number: str, unit: str) -> str:
    if unit == "$":
        return f"${number}"
    if unit == "points" and number == "1":
        return "1 point"
    return f"{number} {unit}" if unit else number


def _end(number: str, unit: str) -> str:
    if unit != "$":
        return number
    return f"-${number[1:]}" if number.startswith("-") else f"${number}"


def _rounded(values: list[float]) -> list[str]:
    """Effect, low, high with the digits that the interval allows; 0 only for what is 0."""
    half = (values[2] - values[1]) / 2
    decimals = _decimals(half)
    while decimals < MOST_DECIMALS and any(v and float(f"{v:.{decimals}f}") == 0 for v in values):
        if min(abs(v) for v in values if v) < half / 1_000:
            break
        decimals += 1
    return [_fixed(value, decimals) for value in values]


def _decimals(size: float) -> int:
    """One digit that says something, two where the first is below 3."""
    if not (math.isfinite(size) and size > 0):
        return 2
    exponent = math.floor(math.log10(size))
    first = size / 10**exponent
    return min(MOST_DECIMALS, max(0, -exponent + (1 if first < 2.95 else 0)))


def _single(value: float) -> str:
    """A number alone: two digits that say something."""
    if not math.isfinite(value) or value == 0:
        return "0" if value == 0 else "unknown"
    decimals = max(0, min(MOST_DECIMALS, 1 - math.floor(math.log10(abs(value)))))
    text = _fixed(value, decimals)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _fixed(value: float, decimals: int) -> str:
    text = f"{value:,.{decimals}f}"
    return text[1:] if text.startswith("-") and float(text.replace(",", "")) == 0 else text


def _percent(value: float) -> str:
    return f"{_single(100 * value)} %"
