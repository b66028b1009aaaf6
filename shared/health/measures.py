"""What health is judged by: each measure, what it rests on and how far back it looks."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from shared.health.limits import HealthLimits, ShareLimits, SlowLimits, StarLimits
from shared.measures import calibration, intervals
from shared.measures.intervals import Estimate
from shared.measures.sketch import key_of
from shared.measures.summary import buckets

Cell = Mapping[str, int]
Limit = ShareLimits | SlowLimits | StarLimits

SOON = ("5m", "15m", "1h")
LATER = ("1h", "24h")
AT_LEISURE = ("1h", "24h", "7d")


class Measure(NamedTuple):
    """One side of a model's health."""

    name: str
    windows: tuple[str, ...]
    """The first that holds enough is judged."""
    sample: str
    """Measure of the cell that counts what it rests on."""
    estimate: Callable[[Cell, Limit], Estimate | None]
    said: Callable[[Estimate, int, Limit], str]
    """The value as the beginning of a sentence, without its interval."""
    least: int = 1
    """Fewest observations that say anything, whatever the limits allow."""
    is_needed: bool = False
    """Whether the status is unknown without it. Nobody owes us feedback or a confidence."""
    more_is_worse: bool = True
    best: float = 0.0
    """The best value there can be."""

    @property
    def is_share(self) -> bool:
        """Else it counts stars."""
        return self.best == 0

    def shown(self, value: float) -> str:
        """A value as people read it."""
        return f"{value:.1%}" if self.is_share else f"{value:.2f}"

    def bound(self, limit: float) -> str:
        """A limit, as short as it was given."""
        return f"{100 * limit:g}%" if self.is_share else f"{limit:g}"

    def limit(self, limits: HealthLimits) -> Limit | None:
        """Its own limits; `None`: it is not judged."""
        found: Limit | None = getattr(limits, self.name)
        return found


def _bad(estimate: Estimate, n: int) -> int:
    return round(estimate.value * n)


def _failures(cell: Cell, _: Limit) -> Estimate | None:
    n = cell.get("n", 0)
    return intervals.share(n - cell.get("ok", 0), n)


def _slow(cell: Cell, limit: Limit) -> Estimate | None:
    border = key_of(_after_ms(limit))
    slow = sum(count for key, count in buckets(cell).items() if key > border)
    return intervals.share(slow, cell.get("n", 0))


def _unhelpful(cell: Cell, _: Limit) -> Estimate | None:
    n = cell.get("helpful_n", 0)
    return intervals.share(n - cell.get("helpful", 0), n)


def _rating(cell: Cell, _: Limit) -> Estimate | None:
    return intervals.stars(cell.get("rating_n", 0), cell.get("rating", 0), cell.get("rating2", 0))


def _after_ms(limit: Limit) -> float:
    assert isinstance(limit, SlowLimits)  # noqa: S101 - the measure's own limits
    return limit.after_ms


FAILURES = Measure(
    name="failures",
    windows=SOON,
    sample="n",
    estimate=_failures,
    said=lambda one, n, _: f"{_bad(one, n)} of {n} operations failed: {one.value:.1%}",
    is_needed=True,
)
SLOW = Measure(
    name="slow",
    windows=SOON,
    sample="n",
    estimate=_slow,
    said=lambda one, n, limit: (
        f"{_bad(one, n)} of {n} operations took longer than {_after_ms(limit) / 1000:g} s: "
        f"{one.value:.1%}"
    ),
    is_needed=True,
)
CALIBRATION = Measure(
    name="calibration_error",
    windows=LATER,
    sample="conf_n",
    estimate=lambda cell, _: calibration.error(cell),
    said=lambda one, n, _: f"confidence of {n} operations misses their success by {one.value:.1%}",
    least=calibration.LABELS,
)
UNHELPFUL = Measure(
    name="unhelpful",
    windows=AT_LEISURE,
    sample="helpful_n",
    estimate=_unhelpful,
    said=lambda one, n, _: f"{_bad(one, n)} of {n} answers were called unhelpful: {one.value:.1%}",
)
RATING = Measure(
    name="rating",
    windows=AT_LEISURE,
    sample="rating_n",
    estimate=_rating,
    said=lambda one, n, _: f"the mean of {n} ratings is {one.value:.2f}",
    more_is_worse=False,
    best=5.0,
)
MEASURES = (FAILURES, SLOW, CALIBRATION, UNHELPFUL, RATING)
