"""From the integers of a cell to the numbers people read, each with its interval.

Integers are divided once and never multiplied by a fraction: 0.3 dollars stay 0.3 and do not become
0.30000000000000004.
"""

from collections.abc import Mapping

from shared.measures import intervals, sketch
from shared.measures.cells import ASPECTS
from shared.measures.fold import CALIBRATION_BINS, MICRO
from shared.views import (
    ConfidenceView,
    CostView,
    ErrorView,
    FeedbackView,
    MeasuresView,
    ResponseTimeView,
    TokensView,
    ValueView,
)

TOP_ERRORS = 10
NANO = 1_000_000_000


def summarise(cell: Mapping[str, int], span_s: float) -> MeasuresView:
    """All measures of a cell that covers `span_s` seconds."""
    operations = cell.get("n", 0)
    return MeasuresView(
        sample=operations,
        success_rate=_view(intervals.share(cell.get("ok", 0), operations)),
        response_time_ms=response_times(cell),
        tokens=_tokens(cell),
        cost_usd=_cost(cell),
        confidence=_confidence(cell),
        errors=_errors(cell),
        throughput_per_minute=operations * 60 / span_s if operations else None,
        feedback=_feedback(cell),
    )


def response_times(cell: Mapping[str, int]) -> ResponseTimeView:
    """Means, the geometric mean's interval, and percentiles within 1 %."""
    count = cell.get("n", 0)
    middle = intervals.geometric_mean(count, cell.get("ln", 0) / MICRO, cell.get("ln2", 0) / MICRO)
    percentiles = sketch.quantiles(buckets(cell), (0.5, 0.95, 0.99))
    if middle is None or percentiles is None:
        return ResponseTimeView()
    p50, p95, p99 = percentiles
    return ResponseTimeView(
        mean=cell.get("rt_us", 0) / (1000 * count),
        geometric_mean=middle.value,
        low=middle.low,
        high=middle.high,
        p50=p50,
        p95=p95,
        p99=p99,
    )


def buckets(cell: Mapping[str, int]) -> dict[int, int]:
    """The response time sketch of a cell."""
    return {int(name[2:]): count for name, count in cell.items() if name.startswith("d:")}


def _tokens(cell: Mapping[str, int]) -> TokensView:
    def total(name: str) -> int | None:
        return cell.get(name, 0) if cell.get(f"{name}_n") else None

    return TokensView(
        input=total("tin"),
        output=total("tout"),
        cached=total("tcached"),
        reasoning=total("treason"),
    )


def _cost(cell: Mapping[str, int]) -> CostView:
    priced = cell.get("cost_n", 0)
    if not priced:
        return CostView()
    nano = cell.get("cost_nano", 0)
    return CostView(total=nano / NANO, per_operation=nano / (NANO * priced))


def _confidence(cell: Mapping[str, int]) -> ConfidenceView:
    count = cell.get("conf_n", 0)
    estimate = intervals.mean(count, cell.get("conf", 0) / MICRO, cell.get("conf2", 0) / MICRO)
    if estimate is None:
        return ConfidenceView()
    low, high = (None if x is None else min(1.0, max(0.0, x)) for x in estimate[1:])
    return ConfidenceView(
        mean=estimate.value,
        low=low,
        high=high,
        brier=cell.get("brier", 0) / (MICRO * count),
        calibration_error=_calibration_error(cell, count),
    )


def _calibration_error(cell: Mapping[str, int], count: int) -> float:
    """Expected calibration error over ten equal bins. Source: Naeini, Cooper, Hauskrecht 2015."""
    apart = sum(
        abs(cell.get(f"k:{place}:c", 0) - cell.get(f"k:{place}:o", 0) * MICRO)
        for place in range(CALIBRATION_BINS)
    )
    return apart / (MICRO * count)


def _errors(cell: Mapping[str, int]) -> list[ErrorView]:
    counted = sorted(
        ((count, name[2:]) for name, count in cell.items() if name.startswith("e:")),
        key=lambda one: (-one[0], one[1]),
    )
    return [
        ErrorView(type=kind, count=count, share=count / cell["n"])
        for count, kind in counted[:TOP_ERRORS]
    ]


def _feedback(cell: Mapping[str, int]) -> FeedbackView:
    rating = intervals.stars(cell.get("rating_n", 0), cell.get("rating", 0), cell.get("rating2", 0))
    aspects = {
        name: _view(intervals.share(cell.get(name, 0), cell.get(f"{name}_n", 0)))
        for name in ASPECTS
    }
    return FeedbackView(count=cell.get("f_n", 0), rating=_view(rating), **aspects)


def _view(estimate: intervals.Estimate | None) -> ValueView:
    if estimate is None:
        return ValueView()
    return ValueView(value=estimate.value, low=estimate.low, high=estimate.high)
