"""Lines of the list of models as people read them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from services.gateway.domain.dashboard.drawing import Sparkline, sparkline
from services.gateway.domain.dashboard.wording import (
    Shown,
    interval,
    milliseconds,
    operations,
    plain,
    share,
    single,
)

MINUTES = 60
"""Of the hour that the list of models is of."""


class Line(NamedTuple):
    """One model over the last hour."""

    model_id: str
    status: str
    reason: str
    success: Shown
    median: Shown
    slow: Shown
    throughput: Shown
    recent: Sparkline


def line(found: Mapping[str, Any], recent: Sequence[int] | None) -> Line:
    """A line of `GET /ai/models`; what was recent is not known while Postgres is away."""
    sample, times = found["sample"], found["response_time_ms"]
    of = f"{operations(sample)} in the last hour"
    middle = {"value": times["geometric_mean"], "low": times["low"], "high": times["high"]}
    of_median = f"{of}; geometric mean {interval(middle, milliseconds, of).hint}"
    return Line(
        found["model_id"],
        found["status"],
        " ".join(found["reasons"]),
        interval(found["success_rate"], share, of),
        single(times["p50"], milliseconds, of_median),
        single(times["p95"], milliseconds, of),
        single(sample / MINUTES if sample else None, plain, of),
        sparkline(recent),
    )
