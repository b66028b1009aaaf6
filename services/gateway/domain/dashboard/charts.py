"""What a chart draws: one place per step, nothing where nothing was observed."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from services.gateway.domain.dashboard.wording import (
    Wording,
    dollars,
    exact,
    exact_dollars,
    exact_milliseconds,
    exact_share,
    milliseconds,
    plain,
    points,
    share,
)
from shared.keys import WINDOWS
from shared.measures.cells import ASPECTS

STEPS: Final = {"5m": 60, "15m": 60, "1h": 60, "24h": 300, "7d": 3600}
LEAST_S: Final = 3600
"""Of a shorter window the hour around it is drawn."""
SHARES: Final = frozenset(
    {*ASPECTS, "share_slower_than_slo", "confidence", "confidence.mean", "calibration_error"}
)
Take = Callable[[Mapping[str, Any]], float | None]
Item = Mapping[str, Any]


class Curve(NamedTuple):
    """One line of a chart; `low` and `high` are the ends of its interval, if it has one."""

    label: str
    values: list[float | None]
    low: list[float | None] | None = None
    high: list[float | None] | None = None


class Chart(NamedTuple):
    """Lines over the same places, and the same in words; `x` are seconds since 1970, or counts."""

    title: str
    unit: str
    x: list[float]
    curves: list[Curve]
    words: str
    of_differences: bool = False
    """Drawn with a line at no difference, and numbers with a sign."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(value is not None for one in self.curves for value in one.values)

    @property
    def data(self) -> dict[str, Any]:
        """As the script draws it."""
        return {
            "unit": self.unit,
            "of_differences": self.of_differences,
            "x": self.x,
            "curves": [one._asdict() for one in self.curves],
        }


class Span(NamedTuple):
    """From when to when, in steps of how many seconds."""

    start: datetime
    end: datetime
    step_s: int

    def places(self) -> list[datetime]:
        """Where each step begins."""
        steps = int((self.end - self.start).total_seconds()) // self.step_s
        return [self.start + timedelta(seconds=n * self.step_s) for n in range(steps)]


def span_of(window: str, now: datetime) -> Span:
    """What is drawn for a window, in whole steps; the one under way is the last."""
    step_s, length = STEPS[window], max(LEAST_S, WINDOWS[window])
    end_s = (int(now.timestamp()) // step_s + 1) * step_s
    end = datetime.fromtimestamp(end_s, now.tzinfo)
    return Span(end - timedelta(seconds=length), end, step_s)


def charts(items: Sequence[Item], span: Span) -> list[Chart]:
    """Charts of a model's series."""
    by_time = {one["at"]: one for one in items}
    found = [by_time.get(at) for at in span.places()]
    x = [at.timestamp() for at in span.places()]

    def curve(label: str, take: Take) -> Curve:
        return Curve(label, _values(found, take))

    def time(name: str) -> Take:
        return lambda one: one["response_time_ms"][name]

    success = Curve("success", *(_values(found, _success(end)) for end in ("value", "low", "high")))
    times = [curve(name, time(name)) for name in ("p50", "p95", "p99")]
    flow = curve("per minute", lambda one: one["throughput_per_minute"])
    flow.values[-1:] = [None]  # the step under way has not all its operations: no fall
    return [
        _chart("Success rate with its 95 % interval", "share", x, [success]),
        _chart("Response time", "ms", x, times),
        _chart("Operations per minute", "", x, [flow]),
    ]


def forecast_chart(found: Mapping[str, Any], title: str) -> Chart:
    """A forecast with the band that 95 of 100 hours should lie in."""
    points = found["items"]
    low, high = ([one[end] for one in points] for end in ("low_95", "high_95"))
    ahead = Curve("forecast", [one["value"] for one in points], low, high)
    inner = [Curve(f"80 %, {end}", [one[f"{end}_80"] for one in points]) for end in ("low", "high")]
    x = [one["at"].timestamp() for one in points]
    return _chart(title, unit_of(found["metric"]), x, [ahead, *inner])


def unit_of(metric: str) -> str:
    """By which unit a metric's numbers are written."""
    if metric.endswith("_rate") or metric.rpartition(".")[2] in SHARES or metric in SHARES:
        return "share"
    if metric.startswith("cost_usd"):
        return "usd"
    return "ms" if metric.startswith("response_time_ms") else ""


def word_of(unit: str) -> Wording:
    """How numbers of a unit are written."""
    words = {"share": share, "points": points, "ms": milliseconds, "usd": dollars}
    return words.get(unit, plain)


def limit_word_of(unit: str) -> Wording:
    """How limits in a unit are written, which are never rounded to others."""
    words = {"share": exact_share, "ms": exact_milliseconds, "usd": exact_dollars}
    return words.get(unit, exact)


def _values(found: Sequence[Item | None], take: Take) -> list[float | None]:
    return [None if one is None else take(one) for one in found]


def _success(end: str) -> Take:
    return lambda one: one["success_rate"][end]


def _chart(title: str, unit: str, x: list[float], curves: list[Curve]) -> Chart:
    return Chart(title, unit, x, curves, f"{title}: {_told(curves, word_of(unit))}")


def _told(curves: Sequence[Curve], word: Wording) -> str:
    told = []
    for one in curves:
        seen = [value for value in one.values if value is not None]
        if seen:
            ends = f"{word(min(seen))} to {word(max(seen))}"
            told.append(f"{one.label} from {ends}, last {word(seen[-1])}")
    return "; ".join(told) or "nothing was observed"
