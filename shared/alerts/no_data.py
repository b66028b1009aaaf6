"""No data: what a rule makes of a group from which nothing came for two of its windows.

Counted from arrivals, not from the events' own clocks: an agent whose clock is an hour slow is not
silent.
"""

from shared.alerts.finding import Finding
from shared.alerts.rule import AlertRule, Severity
from shared.keys import WINDOWS

EMPTY_WINDOWS = 2


def silent(rule: AlertRule, quiet_s: float) -> Finding | None:
    """The finding for a group that has been quiet for so long; `None` while it is not silent."""
    if quiet_s < EMPTY_WINDOWS * WINDOWS[rule.window]:
        return None
    reason = (
        f"Nothing came for {quiet_s / 60:.0f} minutes, {EMPTY_WINDOWS} windows of {rule.window}."
    )
    severity, cleared = None, None
    if rule.no_data == "alert":
        severity = Severity.CRITICAL if rule.critical is not None else Severity.WARNING
    elif rule.no_data == "resolve":
        cleared = Severity.WARNING
    return Finding(severity, cleared, None, None, None, None, 0, rule.window, reason)
