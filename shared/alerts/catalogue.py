"""Metrics that a rule can watch, by the names they have in the metrics answer.

An exact metric (a total, a rate of arrival) is not an estimate: its interval is itself, and no
minimum sample applies to it.
"""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

from scipy.special import ndtri, stdtrit

from shared.measures import calibration, intervals, ranks
from shared.measures.cells import ASPECTS
from shared.measures.fold import MICRO
from shared.measures.intervals import Estimate
from shared.measures.summary import NANO, buckets

Cell = Mapping[str, int]
Take = Callable[[Cell, float, float], Estimate | None]
"""From a cell, its span in seconds and a two-sided confidence."""


class Metric(NamedTuple):
    """How one metric is taken from a cell."""

    name: str
    sample: str
    """Measure that counts what the metric rests on."""
    take: Take
    is_share: bool = False
    more_is_worse: bool = True
    exact: bool = False
    least: int = 1
    """Fewest observations for which anything can be said, whatever a rule allows."""


def _share(good: str, of: str) -> Take:
    return lambda cell, _, confidence: intervals.share(
        cell.get(good, 0), cell.get(of, 0), confidence
    )


def _error_rate(cell: Cell, _: float, confidence: float) -> Estimate | None:
    n = cell.get("n", 0)
    return intervals.share(n - cell.get("ok", 0), n, confidence)


def _exactly(value: Callable[[Cell, float], float | None]) -> Take:
    def take(cell: Cell, span_s: float, _: float) -> Estimate | None:
        found = value(cell, span_s)
        return None if found is None else Estimate(found, found, found)

    return take


def _geometric_mean(cell: Cell, _: float, confidence: float) -> Estimate | None:
    logs, squares = cell.get("ln", 0) / MICRO, cell.get("ln2", 0) / MICRO
    return intervals.geometric_mean(cell.get("n", 0), logs, squares, confidence)


def _mean_time(cell: Cell, _: float, confidence: float) -> Estimate | None:
    """The mean, with Cox's interval for response times that are lognormal.

    exp(m + s2/2 +- t sqrt(s2/n + s2^2 / 2(n-1))). Source: Zhou and Gao 1997.
    """
    n = cell.get("n", 0)
    logs = intervals.mean(n, cell.get("ln", 0) / MICRO, cell.get("ln2", 0) / MICRO)
    if logs is None:
        return None
    value = cell.get("rt_us", 0) / (1000 * n)
    if n == 1:
        return Estimate(value, None, None)
    variance = max(0.0, cell.get("ln2", 0) / MICRO - n * logs.value**2) / (n - 1)
    t = float(stdtrit(n - 1, (1 + confidence) / 2))
    half = t * math.sqrt(variance / n + variance**2 / (2 * (n - 1)))
    return Estimate(value, intervals.scaled(value, -half), intervals.scaled(value, half))


def _percentile(at: float) -> Take:
    return lambda cell, _, confidence: ranks.quantile(buckets(cell), at, confidence)


def _confidence(cell: Cell, _: float, confidence: float) -> Estimate | None:
    return intervals.mean(
        cell.get("conf_n", 0), cell.get("conf", 0) / MICRO, cell.get("conf2", 0) / MICRO, confidence
    )


def _brier(cell: Cell, _: float, confidence: float) -> Estimate | None:
    """Brier score; a number in [0, 1] with mean m varies by at most m(1 - m)."""
    n = cell.get("conf_n", 0)
    if n == 0:
        return None
    value = cell.get("brier", 0) / (MICRO * n)
    half = float(ndtri((1 + confidence) / 2)) * math.sqrt(value * (1 - value) / n)
    return Estimate(value, max(0.0, value - half), min(1.0, value + half))


def _calibration(cell: Cell, _: float, confidence: float) -> Estimate | None:
    return calibration.error(cell, confidence)


def _rating(cell: Cell, _: float, confidence: float) -> Estimate | None:
    return intervals.stars(
        cell.get("rating_n", 0), cell.get("rating", 0), cell.get("rating2", 0), confidence
    )


def _per_operation(cell: Cell, _: float) -> float | None:
    priced = cell.get("cost_n", 0)
    return cell.get("cost_nano", 0) / (NANO * priced) if priced else None


def _total(measure: str) -> Take:
    return _exactly(lambda cell, _: cell.get(measure, 0))


TOKENS = {"input": "tin", "output": "tout", "cached": "tcached", "reasoning": "treason"}
ALL = (
    Metric("success_rate", "n", _share("ok", "n"), is_share=True, more_is_worse=False),
    Metric("error_rate", "n", _error_rate, is_share=True),
    Metric("response_time_ms.mean", "n", _mean_time),
    Metric("response_time_ms.geometric_mean", "n", _geometric_mean),
    *(Metric(f"response_time_ms.p{q}", "n", _percentile(q / 100)) for q in (50, 95, 99)),
    Metric(
        "cost_usd.total",
        "cost_n",
        _exactly(lambda cell, _: cell.get("cost_nano", 0) / NANO),
        exact=True,
    ),
    Metric("cost_usd.per_operation", "cost_n", _exactly(_per_operation)),
    Metric(
        "throughput_per_minute",
        "n",
        _exactly(lambda cell, span_s: cell.get("n", 0) * 60 / span_s),
        exact=True,
        more_is_worse=False,
    ),
    *(
        Metric(f"tokens.{name}", f"{short}_n", _total(short), exact=True)
        for name, short in TOKENS.items()
    ),
    Metric("confidence.mean", "conf_n", _confidence, more_is_worse=False),
    Metric("confidence.brier", "conf_n", _brier),
    Metric("confidence.calibration_error", "conf_n", _calibration, least=calibration.LABELS),
    Metric("feedback.count", "f_n", _total("f_n"), exact=True, more_is_worse=False),
    Metric("feedback.rating", "rating_n", _rating, more_is_worse=False),
    *(
        Metric(
            f"feedback.{name}",
            f"{name}_n",
            _share(name, f"{name}_n"),
            is_share=True,
            more_is_worse=False,
        )
        for name in ASPECTS
    ),
)
METRICS = {one.name: one for one in ALL}
