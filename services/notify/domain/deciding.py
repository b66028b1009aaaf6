"""Whether a delivery is sent now, held for a while, or done with. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, get_args
from uuid import UUID

from services.notify.domain.delivery import HELD, Delivery, State, StepEvent, Target
from shared.alerts.rule import GroupBy
from shared.events.alert import AlertEvent
from shared.events.experiment import ExperimentEvent
from shared.notifications.channel import KNOWS_REPEATS, ChannelType
from shared.notifications.silence import is_active, matches, names_of, names_of_test

EXPIRES_AFTER = timedelta(hours=24)
TEST_EXPIRES_AFTER = timedelta(minutes=1)
LOOK_AGAIN_AFTER = timedelta(seconds=30)
GROUP_NAMES = get_args(GroupBy)
HEAR_OF_TESTS = (ChannelType.WEBHOOK, ChannelType.SLACK)
DIED = "we died while it was sent; not sent again, for it may have arrived"


class Quiet(NamedTuple):
    """A silence."""

    silence_id: UUID
    matchers: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime


class Around(NamedTuple):
    """What a decision depends on besides the delivery."""

    now: datetime
    silences: Sequence[Quiet]
    criticals: Sequence[AlertEvent]
    """Critical alerts that the same channel was told of and that go on."""


class Decision(NamedTuple):
    """What is done with a delivery now; without `state` it is sent."""

    state: State | None = None
    reason: str = ""
    again_after: timedelta | None = None
    """When to look again; without it the delivery has ended."""


SEND = Decision()


def decide(target: Target, delivery: Delivery, around: Around) -> Decision:
    """What is done with the first unfinished step of an alert or A/B test, or with a trial."""
    event = delivery.event
    if delivery.state is State.SENDING and target.type not in KNOWS_REPEATS:
        return Decision(State.UNKNOWN, DIED)
    if delivery.state is State.DELIVERED:
        return SEND  # due again where it would be forgotten
    late = _late(delivery, around.now)
    if late:
        return Decision(State.EXPIRED, late)
    if event is None:
        return SEND
    if isinstance(event, ExperimentEvent):
        return _of_test(target, delivery, event, around)
    return _unwanted(target, delivery, event) or _unless_held(delivery, event, around)


def _late(delivery: Delivery, now: datetime) -> str:
    """Why a delivery comes too late; what was held is as young as its release."""
    if delivery.event is None:
        is_late = now - delivery.created_at > TEST_EXPIRES_AFTER
        return "nobody waits for this test any more" if is_late else ""
    since = delivery.released_at or delivery.event.occurred_at
    is_late = delivery.state not in HELD and now - since > EXPIRES_AFTER
    return "older than a day; see the history" if is_late else ""


def _unwanted(target: Target, delivery: Delivery, event: AlertEvent) -> Decision | None:
    """How a step ends of which nobody at the channel needs to hear."""
    if delivery.state in HELD and not delivery.is_last:
        return Decision(delivery.state, "held until the alert went on without being told")
    if event.state != "firing" and not delivery.was_told:
        return Decision(State.SKIPPED, "nobody here was told that the alert fires")
    if event.state == "resolved" and not target.send_resolved:
        return Decision(State.SKIPPED, "this channel hears of no resolution")
    return None


def _of_test(
    target: Target, delivery: Delivery, event: ExperimentEvent, around: Around
) -> Decision:
    if target.type not in HEAR_OF_TESTS:
        return Decision(State.SKIPPED, "this kind of channel hears of alerts only")
    if delivery.state in HELD and not delivery.is_last:
        return Decision(delivery.state, "held until the test went on without being told")
    return _silenced(delivery, names_of_test(event), around) or SEND


def _silenced(delivery: Delivery, names: Mapping[str, str], around: Around) -> Decision | None:
    may_come_back = delivery.is_last and _is_news_later(delivery.event)
    for silence in around.silences:
        if is_active(silence.starts_at, silence.ends_at, around.now) and matches(
            silence.matchers, names
        ):
            again_after = LOOK_AGAIN_AFTER if may_come_back else None
            return Decision(State.SILENCED, f"silence {silence.silence_id}", again_after)
    return None


def _is_news_later(event: StepEvent | None) -> bool:
    """Whether a step is still worth telling when a silence ends."""
    return isinstance(event, ExperimentEvent) or (event is not None and event.state == "firing")


def _unless_held(delivery: Delivery, event: AlertEvent, around: Around) -> Decision:
    if event.state == "resolved":
        return SEND  # whoever heard that it fires hears that it ends
    silenced = _silenced(delivery, names_of(event.labels, dict(event)), around)
    if silenced is not None:
        return silenced
    louder = _inhibitor(event, around.criticals)
    if louder is not None:
        again_after = LOOK_AGAIN_AFTER if delivery.is_last and _is_news_later(event) else None
        return Decision(State.INHIBITED, f"critical alert {louder.alert_id}", again_after)
    return SEND


def _inhibitor(event: AlertEvent, criticals: Iterable[AlertEvent]) -> AlertEvent | None:
    """The critical alert beside which a warning need not be told."""
    if event.severity != "warning":
        return None
    others = (one for one in criticals if one.alert_id != event.alert_id)
    return next((one for one in others if _same_group(one, event)), None)


def _same_group(one: AlertEvent, other: AlertEvent) -> bool:
    """Whether both speak of one model, and of one environment and so on where both name it."""
    return one.model_id == other.model_id and all(
        one.labels[name] == other.labels[name]
        for name in GROUP_NAMES
        if name in one.labels and name in other.labels
    )
