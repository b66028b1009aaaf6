"""Clocks that differ: events seem late or of tomorrow, alerts and tokens come at the wrong time."""

from deploy.doctor.facts import ClockFacts
from deploy.doctor.finding import Finding, fail, ok, warn

WARN_S = 2.0
FAIL_S = 30.0
"""As much as tokens of an identity provider may differ by default."""
NEXT = "let this machine and that one follow NTP (`timedatectl`, `chronyc tracking`)"


def judge_clock(server: str, clock: ClockFacts) -> Finding:
    """The server's clock beside this machine's; the way there is no difference."""
    name = f"{server} clock"
    sure_s = max(0.0, abs(clock.ahead_s) - clock.within_s)
    side = "ahead of" if clock.ahead_s > 0 else "behind"
    seen = f"{abs(clock.ahead_s):.1f} s {side} this machine's (known to {clock.within_s:.1f} s)"
    if sure_s > FAIL_S:
        return fail(name, seen, NEXT)
    if sure_s > WARN_S:
        return warn(name, seen, NEXT)
    return ok(name, f"within {max(WARN_S, abs(clock.ahead_s) + clock.within_s):.0f} s of ours")
