"""One look at one group, whatever kind of rule it is."""

from collections.abc import Sequence

from shared.alerts.burning import BURN_ONLY, BURN_WINDOWS, look_at_burning
from shared.alerts.finding import Cells, Finding, look, past_of
from shared.alerts.rule import AlertRule
from shared.keys import WINDOWS
from shared.measures.cells import HOUR

LENGTHS_S = WINDOWS | BURN_ONLY
"""Every window that a rule can look at, and its length in seconds."""


def past_hour(now: float) -> tuple[int, int]:
    """The same hour last week (Unix seconds): the whole one nearest to what the last hour was.

    A whole one, since nothing finer is kept for so long: the two lie half an hour apart at most.
    """
    start = int(now - WINDOWS["7d"] - HOUR / 2) // HOUR * HOUR
    return start, start + HOUR


def windows_of(rule: AlertRule) -> Sequence[str]:
    """Windows that a rule looks at."""
    if rule.burn_rate is not None:
        return BURN_WINDOWS
    if rule.baseline is not None:
        return rule.window, past_of(rule)
    return (rule.window,)


def look_at(rule: AlertRule, cells: Cells, *, whole: bool = True) -> Finding:
    """What the rule sees in a group's windows; of a calm one only `whole` tells more than that."""
    if rule.burn_rate is not None:
        return look_at_burning(rule, cells)
    return look(rule, cells, whole=whole)
