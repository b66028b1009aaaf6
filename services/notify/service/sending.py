"""Sends what is due to one channel at a time, and writes down what came of it.

Before a request leaves, its deliveries are marked as being sent; whoever finds that mark without
its holder knows that somebody died in between.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from services.notify.domain.deciding import decide
from services.notify.domain.delivery import Delivery, State, Target
from services.notify.domain.lane import Due, Lane, LostLaneError, Settled
from services.notify.domain.messages import messages
from services.notify.domain.messages.alertmanager import REPEAT_AFTER
from services.notify.domain.messages.message import Message
from services.notify.domain.retrying import Attempt, Outcome, outcome
from shared import clock, telemetry
from shared.delivery.faults import FAULTS
from shared.notifications.channel import ChannelType

# After this a lane is left for others, whatever still waits on it.
MOST_S = 30.0
REST_S = 5.0  # after a failure
MOST_REST_S = 3600.0
# From mark to request: later than this, the lane may be another's by the time of the answer.
LATEST_S = 8.0
# How long what came of a request is tried to be written down: by then the lane is another's.
SETTLE_WITHIN_S = 15.0
# How long a channel rests between two requests: Slack takes one a second, PagerDuty two.
PACE_S: Final[Mapping[str, float]] = {
    ChannelType.WEBHOOK: 0.1,
    ChannelType.SLACK: 1.0,
    ChannelType.PAGERDUTY: 0.5,
    ChannelType.ALERTMANAGER: 0.1,
}
AT_ONCE = timedelta(0)

log = structlog.get_logger()


class Store(Protocol):
    """Where deliveries are kept."""

    async def due(self, lane: Lane) -> Due:
        """The first unfinished step of each alert that is due at the channel."""

    async def begin(self, lane: Lane, deliveries: Iterable[Delivery]) -> None:
        """Mark deliveries as being sent, and hold the lane on; raises `LostLaneError`."""

    async def settle(self, lane: Lane, settled: Sequence[Settled]) -> None:
        """Write down what became of deliveries; raises `LostLaneError`."""

    async def leave(self, lane: Lane, pace_s: float) -> None:
        """Let go of the lane; nobody sends to it for so long."""


class Post(Protocol):
    """Sends a message."""

    async def __call__(self, target: Target, message: Message) -> Attempt: ...


class Sending:
    """The work of one lane at a time, in as many tasks as there are lanes."""

    def __init__(self, store: Store, post: Post) -> None:
        self.is_stopping = False
        """Once set, each lane is left after the request that is under way."""
        self._store = store
        self._post = post

    async def serve(self, lane: Lane) -> None:
        """Send what is due, in order, at the channel's pace; then let go of the lane."""
        give_up_at = clock.monotonic() + MOST_S
        rest_s = 0.0
        try:
            while not rest_s and clock.monotonic() < give_up_at and not self.is_stopping:
                due = await self._store.due(lane)
                if not due.deliveries:
                    break
                rest_s = await self._round(lane, due, give_up_at)
            # After a failure whatever else waits there tries its luck a little later.
            await self._store.leave(lane, max(rest_s, PACE_S[lane.target.type]))
        except LostLaneError:
            log.warning("lane_lost", channel=str(lane.target.channel_id))

    async def _round(self, lane: Lane, due: Due, give_up_at: float) -> float:
        """Send until something fails or the time is up; how long the channel should rest (s)."""
        looked_at = clock.monotonic()
        ready = await self._sorted_out(lane, due)
        for message in messages(lane.target, ready, due.around.now):
            if clock.monotonic() > give_up_at or self.is_stopping:
                break
            now = due.around.now + timedelta(seconds=clock.monotonic() - looked_at)
            rest_s = await self._send(lane, message, now)
            if rest_s:
                return rest_s
            await asyncio.sleep(PACE_S[lane.target.type])
        return 0.0

    async def _sorted_out(self, lane: Lane, due: Due) -> list[Delivery]:
        """Those to send; the others are settled without a request."""
        ready, settled = [], []
        criticals = list(due.around.criticals)
        for one in sorted(due.deliveries, key=_is_softer):
            around = due.around._replace(criticals=criticals)
            state, reason, again_after = decide(lane.target, one, around)
            if state is not None:
                settled.append(Settled(one.delivery_id, state, reason, again_after))
                continue
            ready.append(one)
            alert = one.alert
            if alert is not None and not _is_softer(one) and alert.state != "resolved":
                criticals.append(alert)
        if settled:
            await self._store.settle(lane, settled)
            _count(lane, settled)
        chosen = {one.delivery_id for one in ready}
        return [one for one in due.deliveries if one.delivery_id in chosen]

    async def _send(self, lane: Lane, message: Message, now: datetime) -> float:
        """Send one message; how long the channel should rest because of what came of it (s)."""
        started = clock.monotonic()
        await self._store.begin(lane, message.deliveries)
        FAULTS.reach("notify.before_send")
        if clock.monotonic() - started > LATEST_S:
            await self._settle(lane, [_put_back(one) for one in message.deliveries])
            return REST_S
        attempt = await self._post(lane.target, message)
        FAULTS.reach("notify.after_send")
        settled = [_settled(lane.target, one, attempt, now) for one in message.deliveries]
        await self._settle(lane, settled)
        state, why = settled[0].state, settled[0].reason
        if state is State.DELIVERED and not why:
            return 0.0
        log.info("not_delivered", channel=str(lane.target.channel_id), state=state, why=why)
        asked_s = attempt.retry_after.total_seconds() if attempt.retry_after else 0.0
        return min(max(REST_S, asked_s), MOST_REST_S)

    async def _settle(self, lane: Lane, settled: Sequence[Settled]) -> None:
        """Write down what came of a request: while the store is away, try for as long as we may."""
        give_up_at = clock.monotonic() + SETTLE_WITHIN_S
        while True:
            try:
                await self._store.settle(lane, settled)
                break
            except LostLaneError:
                raise
            except Exception as error:
                log.warning("settle_retry", why=type(error).__name__)
                if clock.monotonic() > give_up_at:
                    raise
                await asyncio.sleep(0.5)
        _count(lane, settled)


def _settled(target: Target, delivery: Delivery, attempt: Attempt, now: datetime) -> Settled:
    found = outcome(target.type, delivery, attempt, now)
    if delivery.state is State.DELIVERED:
        # A repeat of what was told: whether it came through or not, the next one follows.
        found = Outcome(State.DELIVERED, found.reason, REPEAT_AFTER)
    elif found.state is State.DELIVERED and _is_repeated(target, delivery):
        found = found._replace(again_after=REPEAT_AFTER)
    return Settled(
        delivery.delivery_id, found.state, found.reason, found.again_after, attempt.status
    )


def _put_back(delivery: Delivery) -> Settled:
    """We were slow, and nothing was sent."""
    state = State.DELIVERED if delivery.state is State.DELIVERED else State.PENDING
    return Settled(delivery.delivery_id, state, "put back before it was sent", AT_ONCE)


def _is_softer(delivery: Delivery) -> bool:
    """Whether it is not of a critical alert: those are decided first, for they hold others back."""
    return delivery.alert is None or delivery.alert.severity != "critical"


def _is_repeated(target: Target, delivery: Delivery) -> bool:
    """Alertmanager forgets what is not repeated."""
    event = delivery.alert
    return (
        target.type == ChannelType.ALERTMANAGER and event is not None and event.state != "resolved"
    )


def _count(lane: Lane, settled: Sequence[Settled]) -> None:
    for one in settled:
        telemetry.NOTIFICATIONS.labels(lane.target.type, one.state).inc()
