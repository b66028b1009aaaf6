"""Takes erasures in, tells of them and of their receipts, and says which are late."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from functools import partial
from itertools import groupby
from typing import Any, Protocol
from uuid import UUID

import structlog

from services.gateway.domain.erasures import Asked, ErasureRequest, asked, needles, reviewer
from services.gateway.domain.intake import Outgoing
from services.gateway.domain.problems import AwayError
from services.gateway.service.intake import Publish
from services.gateway.service.tried import tried
from shared import telemetry
from shared.clock import Clock
from shared.privacy.names import Names
from shared.topics import REGISTER, Topic, topic_name

LOOK_EVERY_S = 1.0
LATE_EVERY_S = 10.0
SAY_AGAIN = 30
"""Rounds after which a late erasure is logged again."""
MOST_AT_ONCE = 200

log = structlog.get_logger()


class Relay(Protocol):
    """Events that are to be told, and how to say that some are."""

    @property
    def events(self) -> Sequence[Any]:
        """Oldest first."""

    async def told(self, tenant_id: str, events: Sequence[UUID]) -> None:
        """The broker has these."""


class Store(Protocol):
    """Where erasures are kept."""

    async def add(
        self, tenant_id: str, asked: Asked, needles: Sequence[bytes], reviewer: str | None
    ) -> dict[str, Any]:
        """Mark what is to be erased."""

    async def late(self) -> Sequence[Any]:
        """Those that lack a receipt after their deadline."""

    def relaying(self, most: int) -> AbstractAsyncContextManager[Relay]:
        """Events to tell, unless another gateway is at it."""


class Erasing:
    """What the gateway does for an erasure, besides its own part of it."""

    def __init__(
        self, store: Store, names: Names, now: Clock, new_id: Callable[[], UUID], within_s: int
    ) -> None:
        self._store = store
        self._names = names
        self._now = now
        self._new_id = new_id
        self._within = timedelta(seconds=within_s)

    async def erase(self, tenant_id: str, request: ErasureRequest, who: str) -> dict[str, Any]:
        """Take an erasure in; the name is forgotten when this returns."""
        now = self._now()
        kept = asked(
            request, tenant_id, self._names, (self._new_id(), who), (now, now + self._within)
        )
        return await self._store.add(tenant_id, kept, needles(request), reviewer(request))


class ErasureTeller:
    """Publishes what was kept to be told, and looks for what is late."""

    def __init__(self, store: Store, publish: Publish, topic_prefix: str) -> None:
        self._store = store
        self._publish = publish
        self._prefix = topic_prefix

    async def run(self) -> None:
        """Tell for ever; what is away makes it wait."""
        while True:
            await tried(self.tell, "erasures_untold")
            await asyncio.sleep(LOOK_EVERY_S)

    async def watch(self) -> None:
        """Say which erasures are late, for ever."""
        rounds = 0
        while True:
            say = partial(self.say_late, is_loud=rounds % SAY_AGAIN == 0)
            await tried(say, "erasures_untold")
            rounds += 1
            await asyncio.sleep(LATE_EVERY_S)

    async def tell(self) -> None:
        """Publish what is to be told."""
        async with self._store.relaying(MOST_AT_ONCE) as relay:
            for (tenant_id, topic), part in groupby(relay.events, _place):
                rows = list(part)
                kind = Topic(topic)
                events = [
                    Outgoing(
                        *(str(row["event_id"]), row["record_key"].encode(), row["body"].encode()),
                        row["occurred_at"],
                    )
                    for row in rows
                ]
                try:
                    name = topic_name(kind, self._prefix)
                    await self._publish(REGISTER[kind], name, events, tenant_id, {})
                except AwayError:
                    return  # not an error: what was told until now stays marked
                await relay.told(tenant_id, [row["event_id"] for row in rows])

    async def say_late(self, *, is_loud: bool = True) -> None:
        """Count what is late, and name it."""
        late = await self._store.late()
        telemetry.ERASURES_LATE.set(len(late))
        for one in late if is_loud else ():
            log.error(
                "erasure_late",
                tenant=one["tenant_id"],
                erasure=str(one["erasure_id"]),
                deadline=one["deadline"].isoformat(),
                missing=one["missing"],
            )


def _place(row: Any) -> tuple[str, str]:
    return row["tenant_id"], row["topic"]
