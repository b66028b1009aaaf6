"""A channel while somebody sends to it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from services.notify.domain.deciding import Around
from services.notify.domain.delivery import Delivery, State, Target


class Lane(NamedTuple):
    """A channel that is ours to send to, as long as nobody else holds it."""

    target: Target
    holder: UUID


class Due(NamedTuple):
    """What is to be done at a channel, and what that depends on; its `now` is the store's."""

    deliveries: Sequence[Delivery]
    around: Around


class Settled(NamedTuple):
    """What a delivery is from now on; without `again_after` it has ended."""

    delivery_id: UUID
    state: State
    reason: str
    again_after: timedelta | None = None
    status: int | None = None


class LostLaneError(Exception):
    """Somebody else sends to this channel now."""
