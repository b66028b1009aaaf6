"""What becomes of a status over time, so that it does not flap.

It turns bad, or known, at the second look in a row that says so, and anything else only after a
minute of nothing else: then into the worst that was said in that minute. Whoever looks forgets
opinions over a pause: nobody saw what happened in it.
"""

from typing import NamedTuple

from shared.health.judging import NO_STATES, WORST_FIRST, States, Verdict
from shared.views import Health

CALM_S = 60.0
BAD = {Health.CRITICAL, Health.DEGRADED}
TICK_S = 1e-3


class Held(NamedTuple):
    """A status that people see, and what the next look begins with."""

    status: Health
    since: float
    """Seconds since 1970."""
    reasons: tuple[str, ...]
    """Why it was entered."""
    states: States = NO_STATES


class Opinion(NamedTuple):
    """A status that looks have begun to say; it is nobody's business yet."""

    status: Health
    reasons: tuple[str, ...]
    since: float


def settle(
    held: Held | None, opinion: Opinion | None, verdict: Verdict, now: float
) -> tuple[Held | None, Opinion | None]:
    """One more look; the status has changed when `since` has. `None`: not settled at all yet."""
    said = Opinion(verdict.status, tuple(verdict.reasons), now)
    if held is None:
        # The beginning of a batch may hold failures only.
        is_sure = opinion is not None or verdict.status not in BAD
        return (_entered(said, verdict, now), None) if is_sure else (None, said)
    if opinion is not None and opinion.status is held.status:
        opinion = None  # it was kept, and the answer was lost
    stays = held._replace(states=verdict.states)
    if verdict.status is held.status:
        return stays, None
    # Clocks step back, and the next owner's may be behind: changes keep their order.
    now = max(now, held.since + TICK_S)
    was_news = opinion is not None and _is_news(opinion.status, held.status)
    if _is_news(verdict.status, held.status):
        # Of two looks that say it is worse the second says how much; one bad look is never enough.
        was_bad = opinion is not None and opinion.status in BAD
        is_sure = was_news and (was_bad or verdict.status not in BAD)
        return (_entered(said, verdict, now), None) if is_sure else (stays, said)
    if opinion is not None and not was_news:
        worst = min(opinion, said, key=lambda one: WORST_FIRST.index(one.status))
        said = worst._replace(since=opinion.since)
    if now - said.since < CALM_S:
        return stays, said
    # What this very look says is better than the worst of the minute: it begins to be said now.
    is_better = verdict.status is not said.status
    better = Opinion(verdict.status, tuple(verdict.reasons), now) if is_better else None
    return _entered(said, verdict, now), better


def entered_anew(held: Held, verdict: Verdict, now: float) -> Held:
    """The status by other limits than before: at once, and since then unless it is the same."""
    if verdict.status is held.status:
        return held._replace(reasons=tuple(verdict.reasons), states=verdict.states)
    now = max(now, held.since + TICK_S)
    return Held(verdict.status, now, tuple(verdict.reasons), verdict.states)


def _entered(said: Opinion, verdict: Verdict, now: float) -> Held:
    return Held(said.status, now, said.reasons, verdict.states)


def _is_news(status: Health, held: Health) -> bool:
    """Whether people want to know at once."""
    is_worse = WORST_FIRST.index(status) < WORST_FIRST.index(held)
    return held is Health.UNKNOWN or (status in BAD and is_worse)
