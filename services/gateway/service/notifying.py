"""What people do with channels and silences."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from pydantic_core import to_json

from services.gateway.domain.alerts import alert_view
from services.gateway.domain.notifications import (
    UNFINISHED,
    channel_view,
    delivery_view,
    silence_view,
)
from services.gateway.domain.problems import Problem, wrong_field
from shared import clock
from shared.clock import Clock
from shared.notifications.channel import Channel
from shared.notifications.silence import Silence, matches, names_of
from shared.notifications.targets import ForbiddenTargetError, UnresolvedError, permitted

MOST_CHANNELS = 64
MOST_SILENCES = 200
MOST_ALERTS = 1_000
LONGEST_SILENCE = timedelta(days=366)
TESTED_WITHIN_S = 12.0  # an attempt of notify takes ten at most
LOOK_EVERY_S = 0.2

Row = Any  # a row of the store: members by column


class Store(Protocol):
    """Where channels and silences stay."""

    async def channel(self, tenant_id: str, channel_id: UUID) -> Row | None:
        """One channel."""

    async def add_channel(
        self, tenant_id: str, channel_id: UUID, made: Channel, actor: str, most: int
    ) -> Row | None:
        """Keep a new channel, unless there are enough."""

    async def add_test(
        self, tenant_id: str, channel_id: UUID, delivery_id: UUID, at: datetime
    ) -> bool:
        """Ask notify to send a test; false when one is under way."""

    async def delivery(self, tenant_id: str, delivery_id: UUID) -> Row | None:
        """One delivery."""

    async def silence(self, tenant_id: str, silence_id: UUID) -> Row | None:
        """One silence."""

    async def add_silence(self, tenant_id: str, values: Sequence[Any], most: int) -> Row | None:
        """Keep a silence, unless there are enough."""

    async def live_alerts(self, tenant_id: str, most: int) -> Sequence[Row]:
        """Alerts that have not ended."""


class Notifying:
    """Channels and silences of one tenant at a time."""

    def __init__(
        self, store: Store, now: Clock, new_id: Callable[[], UUID], *, allow_private: bool
    ) -> None:
        self._store = store
        self._now = now
        self._new_id = new_id
        self._allow_private = allow_private

    async def add_channel(self, tenant_id: str, made: Channel, actor: str) -> dict[str, Any]:
        """Keep a new channel that leads to where we may send."""
        try:
            await permitted(made.url, allow_private=self._allow_private)
        except ForbiddenTargetError as error:
            raise wrong_field("url", str(error)) from error
        except UnresolvedError:
            pass  # its name may come later; whoever sends looks again each time
        channel_id = self._new_id()
        row = await self._store.add_channel(tenant_id, channel_id, made, actor, MOST_CHANNELS)
        if row is None:
            raise wrong_field("", f"a tenant has at most {MOST_CHANNELS} channels; remove one")
        return channel_view(row, whole=True)

    async def test_channel(self, tenant_id: str, channel_id: UUID) -> dict[str, Any]:
        """Send a test and wait for what comes of it; unfinished if that takes too long."""
        if await self._store.channel(tenant_id, channel_id) is None:
            raise no_channel(channel_id)
        delivery_id = self._new_id()
        if not await self._store.add_test(tenant_id, channel_id, delivery_id, self._now()):
            raise Problem("conflict", "A test of this channel is under way; see its deliveries.")
        give_up_at = clock.monotonic() + TESTED_WITHIN_S
        while True:
            row = await self._store.delivery(tenant_id, delivery_id)
            if row is None:
                raise no_channel(channel_id)  # removed meanwhile
            if row["state"] not in UNFINISHED or clock.monotonic() > give_up_at:
                return delivery_view(row)
            await asyncio.sleep(LOOK_EVERY_S)

    async def add_silence(self, tenant_id: str, made: Silence, actor: str) -> dict[str, Any]:
        """Keep a silence that has not ended yet."""
        now = self._now()
        starts_at = made.starts_at or now
        if made.ends_at <= now:
            raise wrong_field("ends_at", "lies in the past; choose a time that is to come")
        if made.ends_at <= starts_at:
            raise wrong_field("ends_at", "must lie after starts_at")
        if made.ends_at - starts_at > LONGEST_SILENCE:
            raise wrong_field("ends_at", f"at most {LONGEST_SILENCE.days} days after the start")
        matchers = to_json(made.matchers).decode()
        values = (self._new_id(), matchers, starts_at, made.ends_at, made.comment, actor)
        row = await self._store.add_silence(tenant_id, values, MOST_SILENCES)
        if row is None:
            raise wrong_field("", f"a tenant has at most {MOST_SILENCES} silences; remove one")
        return silence_view(row)

    async def test_silence(self, tenant_id: str, silence_id: UUID) -> dict[str, Any]:
        """Which live alerts have what a silence names."""
        row = await self._store.silence(tenant_id, silence_id)
        if row is None:
            raise no_silence(silence_id)
        matchers = silence_view(row)["matchers"]
        alerts = [alert_view(one) for one in await self._store.live_alerts(tenant_id, MOST_ALERTS)]
        found = [
            one
            for one in alerts
            if matches(matchers, names_of(one["labels"], one | {"alert_id": one["id"]}))
        ]
        return {"silence_id": silence_id, "as_of": self._now(), "matches": found}


def no_channel(channel_id: UUID) -> Problem:
    """The 404 of a channel."""
    return Problem("not-found", f"There is no notification channel {channel_id}.")


def no_silence(silence_id: UUID) -> Problem:
    """The 404 of a silence."""
    return Problem("not-found", f"There is no silence {silence_id}.")
