"""What ingest does by the clock: partitions ahead, waiting feedback, dead letters."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any, Protocol

from shared.clock import Clock

RELAY_EVERY_S = 1.0
RELAY_MOST = 500
JOIN_EVERY_S = 1.0
PARTITIONS_EVERY_S = 3600.0
# Most feedback follows its operation within seconds; what is older is looked for less often.
RECENT = timedelta(minutes=10)
LONG = timedelta(days=7)
LONG_EVERY = 60

Publish = Callable[[Sequence[Any]], Awaitable[None]]


class Store(Protocol):
    """What the clock's work needs of the store."""

    async def make_days_ahead(self, now: Clock) -> None:
        """Partitions ahead of their days."""

    async def join_waiting_feedback(self, since: timedelta) -> int:
        """Attribute waiting feedback."""

    def relaying(self, most: int) -> AbstractAsyncContextManager[Sequence[Any]]:
        """Unpublished dead letters."""


class Ticker:
    """The clock's work, as jobs that run for ever."""

    def __init__(self, store: Store, publish: Publish, now: Clock) -> None:
        self._store = store
        self._publish = publish
        self._now = now
        self.waiting = 0
        """Dead letters that the last look found unpublished, up to a portion."""

    async def partitions(self) -> None:
        """Keep the partitions of the coming days made."""
        while True:
            await self._store.make_days_ahead(self._now)
            await asyncio.sleep(PARTITIONS_EVERY_S)

    async def join(self) -> None:
        """Attribute feedback that came without a model."""
        turn = 0
        while True:
            await self._store.join_waiting_feedback(RECENT if turn % LONG_EVERY else LONG)
            turn += 1
            await asyncio.sleep(JOIN_EVERY_S)

    async def relay(self) -> None:
        """Publish dead letters; the rows stay the truth."""
        while True:
            async with self._store.relaying(RELAY_MOST) as letters:
                self.waiting = len(letters)
                if letters:
                    await self._publish(letters)
            if len(letters) < RELAY_MOST:
                await asyncio.sleep(RELAY_EVERY_S)
