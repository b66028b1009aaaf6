"""What an A/B test's results said over time, as bands around a line of no difference."""

from collections.abc import Mapping, Sequence
from math import expm1
from typing import Any, Final

from services.gateway.domain.dashboard.charts import Chart, Curve, word_of
from services.gateway.domain.dashboard.experiments import signed
from services.gateway.domain.dashboard.wording import Wording, instant

UNITS: Final = {"share": "points", "USD": "usd", "ln": "share"}
"""By which unit of a chart a difference is drawn: a logarithm as a share of the control."""
DIGITS: Final = 6
Point = Sequence[Any]
"""A look's time, units, difference, low and high."""


def history_charts(found: Mapping[str, Any]) -> list[Chart]:
    """A chart for each metric of a history, in its order; without a point, an empty one."""
    return [_chart(one) for one in found["metrics"]]


def _chart(metric: Mapping[str, Any]) -> Chart:
    unit, variants = UNITS.get(metric["unit"], ""), metric["variants"]
    times = sorted({point[0] for one in variants for point in one["points"]})
    curves = []
    for one in variants:
        held = _held(one["points"], times)
        value, low, high = (_drawn(held, place, metric["unit"]) for place in (2, 3, 4))
        curves.append(Curve(one["variant"], value, low, high))
    control = variants[0]["control"]
    of = f"as a share of {control}" if metric["unit"] == "ln" else f"from {control}"
    title = f"{metric['metric']}, {metric['role']}: difference {of}"
    word = signed(word_of(unit))
    told = "; ".join(_told(one, curve, word) for one, curve in zip(variants, curves, strict=True))
    x = [at.timestamp() for at in times]
    return Chart(title, unit, x, curves, f"{title}. {told}.", of_differences=True)


def _held(points: Sequence[Point], times: Sequence[Any]) -> list[Point | None]:
    """A variant's last look by each time: what was said holds until something else is."""
    by_time = {point[0]: point for point in points}
    held: list[Point | None] = []
    last = None
    for at in times:
        last = by_time.get(at, last)
        held.append(last)
    return held


def _drawn(held: Sequence[Point | None], place: int, unit: str) -> list[float | None]:
    return [None if one is None else _number(one[place], unit) for one in held]


def _number(value: float, unit: str) -> float | None:
    try:
        shown = expm1(value) if unit == "ln" else value
    except OverflowError:  # so uncertain that no float holds it
        return None
    return float(f"{shown:.{DIGITS}g}")  # more is nowhere seen, and makes the page twice as long


def _told(one: Mapping[str, Any], curve: Curve, word: Wording) -> str:
    """The last look in words, and since when there is a difference for sure."""
    if not one["points"]:
        return f"{one['variant']}: no look had enough data"
    at, units = one["points"][-1][:2]
    value, low, high = (
        "unknown" if ends is None or ends[-1] is None else word(ends[-1])
        for ends in (curve.values, curve.low, curve.high)
    )
    first = one["excluded_zero_at"]
    crossed = "0 was never excluded" if first is None else f"0 was first excluded {instant(first)}"
    looks = f"{len(one['points'])} looks"
    return (
        f"{one['variant']}: {value}, interval {low} to {high}, on {units:,} units "
        f"at {instant(at)}; {crossed}; {looks} since {instant(one['points'][0][0])}"
    )
