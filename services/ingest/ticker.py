"""What ingest does by the clock: partitions ahead and behind, waiting feedback, dead letters."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any, Protocol

import structlog

from shared.clock import Clock

RELAY_EVERY_S = 1.0
RELAY_MOST = 500
JOIN_EVERY_S = 1.0
PARTITIONS_EVERY_S = 3600.0
RETENTION_EVERY_S = 3600.0
# Most feedback follows its operation within seconds; what is older is looked for less often.
RECENT = timedelta(minutes=10)
LONG = timedelta(days=7)
LONG_EVERY = 60

Publish = Callable[[Sequence[Any]], Awaitable[None]]
Retain = Callable[[], Awaitable[Mapping[str, int]]]

log = structlog.get_logger()


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


class Retention:
    """Letting go of what has been kept long enough, as a job."""

    def __init__(self, retain: Retain) -> None:
        self._retain = retain

    async def run(self) -> None:
        """Look every hour, for ever."""
        while True:
            gone = await self._retain()
            if told := {name: count for name, count in gone.items() if count}:
                log.info("retention_let_go", **told)
            await asyncio.sleep(RETENTION_EVERY_S)
