"""Burn rates: how fast a month's error budget is used up, over a long and a short window at once.

Source: Google, The Site Reliability Workbook (2018), chapter 5. Two things are ours: at least three
bad events (at 5 requests an hour a burn rate alone pages 35 times in 30 days of good health), and
the long window's bound, not its point, must be beyond the limit unless the rule says otherwise.
"""

from typing import NamedTuple

from shared.alerts.finding import CERTAINTY, EMPTY, Cell, Cells, Finding
from shared.alerts.rule import AlertRule, Severity
from shared.measures import intervals

LEAST_BAD = 3
CLEAR_BELOW = 0.5  # of its speed, in either window of a pair


class Pair(NamedTuple):
    """Both windows must burn faster than `speed` times the budget."""

    long: str
    short: str
    speed: float
    severity: Severity


PAIRS = (
    Pair("1h", "5m", 14.4, Severity.CRITICAL),
    Pair("6h", "30m", 6, Severity.CRITICAL),
    Pair("24h", "2h", 3, Severity.WARNING),
    Pair("3d", "6h", 1, Severity.WARNING),
)
BURN_WINDOWS = tuple(dict.fromkeys(name for pair in PAIRS for name in (pair.long, pair.short)))
# Those that nothing else looks at, in seconds.
BURN_ONLY = {"30m": 1_800, "2h": 7_200, "6h": 21_600, "3d": 259_200}


def look_at_burning(rule: AlertRule, cells: Cells) -> Finding:
    """Evaluate a burn-rate rule; `cells` holds `BURN_WINDOWS`."""
    assert rule.burn_rate is not None  # noqa: S101 - the caller looked
    budget = 1 - rule.burn_rate.slo
    for pair in PAIRS:
        long = cells.get(pair.long, EMPTY)
        if (
            _bad(long) >= LEAST_BAD
            and _burns(pair, cells, pair.speed * budget)
            and (rule.gate == "point" or _surely(pair, long) > pair.speed * budget)
        ):
            return _burning(pair, long, budget, _cleared(cells, budget))
    hour = cells.get("1h", EMPTY)
    sample = hour.get("n", 0)
    reason = f"No window burns faster than its limit; the last hour holds {sample} operations."
    value, cleared = (_rate(hour), _cleared(cells, budget)) if sample else (None, None)
    return Finding(None, cleared, value, None, None, None, sample, "1h", reason)


def _burns(pair: Pair, cells: Cells, limit: float) -> bool:
    return all(_rate(cells.get(window, EMPTY)) > limit for window in (pair.long, pair.short))


def _is_hot(pair: Pair, cells: Cells, limit: float) -> bool:
    """Whether a pair still burns: a short window in which nothing came shows no recovery."""
    short = cells.get(pair.short, EMPTY)
    is_open = not short.get("n", 0) or _rate(short) > limit
    return _rate(cells.get(pair.long, EMPTY)) > limit and is_open


def _surely(pair: Pair, cell: Cell) -> float:
    """The error rate that the long window at least shows."""
    estimate = intervals.share(_bad(cell), cell["n"], 2 * CERTAINTY[pair.severity] - 1)
    return estimate.low or 0.0 if estimate else 0.0


def _cleared(cells: Cells, budget: float) -> Severity | None:
    hot = {
        pair.severity for pair in PAIRS if _is_hot(pair, cells, CLEAR_BELOW * pair.speed * budget)
    }
    if Severity.CRITICAL in hot:
        return None
    return Severity.CRITICAL if hot else Severity.WARNING


def _burning(pair: Pair, cell: Cell, budget: float, cleared: Severity | None) -> Finding:
    bad, n = _bad(cell), cell["n"]
    estimate = intervals.share(bad, n)
    assert estimate is not None  # noqa: S101 - there are bad events
    value, low, high = estimate
    reason = (
        f"{bad} of {n} operations failed in {pair.long}: {value:.2%}, {value / budget:.1f} times "
        f"what the month's budget allows, and so in the last {pair.short}; the limit is "
        f"{pair.speed:g} times."
    )
    limit = pair.speed * budget
    return Finding(pair.severity, cleared, value, limit, low, high, n, pair.long, reason)


def _bad(cell: Cell) -> int:
    return cell.get("n", 0) - cell.get("ok", 0)


def _rate(cell: Cell) -> float:
    n = cell.get("n", 0)
    return (n - cell.get("ok", 0)) / n if n else 0.0
