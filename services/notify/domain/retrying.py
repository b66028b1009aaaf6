"""What an attempt means for a delivery: done, again later, or never."""

from datetime import datetime, timedelta
from typing import NamedTuple

from services.notify.domain.delivery import Delivery, State
from shared.notifications.channel import KNOWS_REPEATS, ChannelType

# 5 s, 15 s, 45 s … at most an hour apart; a day's worth is some thirty attempts.
FIRST_WAIT = timedelta(seconds=5)
GROWTH = 3
MOST_WAIT = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(hours=24)
OK, MULTIPLE = 200, 300
GONE, TOO_EARLY, TOO_MANY, TIMEOUT, SERVER = 410, 425, 429, 408, 500


class Attempt(NamedTuple):
    """What came of sending: a status, or a failure and whether anything may have arrived."""

    status: int | None
    detail: str = ""
    may_have_arrived: bool = False
    retry_after: timedelta | None = None
    is_forbidden: bool = False
    """We must not send there."""


class Outcome(NamedTuple):
    """What a delivery is from now on; with `again_after` it is tried again."""

    state: State
    reason: str
    again_after: timedelta | None = None


def outcome(channel_type: str, delivery: Delivery, attempt: Attempt, now: datetime) -> Outcome:
    """Judge one attempt; the delivery had `attempts` before it."""
    if attempt.status is not None and OK <= attempt.status < MULTIPLE:
        return Outcome(State.DELIVERED, "")
    reason = attempt.detail or f"the channel answered {attempt.status}"
    if attempt.may_have_arrived and channel_type not in KNOWS_REPEATS:
        return Outcome(State.UNKNOWN, f"{reason}; not sent again, for it may have arrived")
    if attempt.is_forbidden or _is_final(channel_type, attempt.status):
        return Outcome(State.FAILED, reason)
    if delivery.event is None:
        return Outcome(State.FAILED, reason)  # a test is there to be seen failing
    if now - (delivery.released_at or delivery.created_at) > GIVE_UP_AFTER:
        return Outcome(State.FAILED, f"{reason}; given up after {delivery.attempts + 1} attempts")
    wait = min(FIRST_WAIT * GROWTH ** min(delivery.attempts, 9), MOST_WAIT)
    return Outcome(State.PENDING, reason, max(wait, min(attempt.retry_after or wait, MOST_WAIT)))


def _is_final(channel_type: str, status: int | None) -> bool:
    """Whether the answer means that the same request will never be taken."""
    if status is None or status >= SERVER or status in (TIMEOUT, TOO_EARLY, TOO_MANY):
        return False
    # A webhook's own code may be mended; an address that says it is gone is gone.
    return status == GONE if channel_type == ChannelType.WEBHOOK else True
