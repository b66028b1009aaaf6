"""What each kind of channel is sent: one way to write it per kind."""

from collections.abc import Callable, Sequence
from datetime import datetime

from services.notify.domain.delivery import Delivery, Target
from services.notify.domain.messages import alertmanager, pagerduty, slack, webhook
from services.notify.domain.messages.message import Message
from shared.notifications.channel import ChannelType

Write = Callable[[Target, Sequence[Delivery], datetime], list[Message]]
WRITERS: dict[str, Write] = {
    ChannelType.WEBHOOK: webhook.messages,
    ChannelType.SLACK: slack.messages,
    ChannelType.PAGERDUTY: pagerduty.messages,
    ChannelType.ALERTMANAGER: alertmanager.messages,
}


def messages(target: Target, deliveries: Sequence[Delivery], now: datetime) -> list[Message]:
    """Deliveries of one channel, in order, as what is sent to it."""
    return WRITERS[target.type](target, deliveries, now)
