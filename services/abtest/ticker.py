"""What abtest does by the clock: looks, feedback that was missed, tests' pasts, what is old."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, Protocol

from shared import clock

LOOK_EVERY_S = 1.0
# Looks may take at most this share of the time, however many tests there are.
LOOK_SHARE = 0.3
JOIN_EVERY_S = 1.0
JOIN_MOST = 1_000
COUNT_EVERY_S = 10.0
TIDY_EVERY_S = 3600.0
REMOVED_AT_ONCE = 5_000
PAST_EVERY_S = 5.0
# Reading what was before a test waits twice as long as it works: events come first.
PAST_WAITS = 2.0
# An operation joins what waits for it. Missed is only what came while it was being stored: nearly
# always seconds, and no transaction lasts ten minutes. To look so far back each second would cost a
# core, so that is done once in so many rounds.
MISSED_WITHIN: Final = timedelta(minutes=1)
MISSED_AT_MOST: Final = timedelta(minutes=10)
ROUNDS_BETWEEN = 60
WAITS_FOR: Final = timedelta(days=7)


class Waiting(Protocol):
    """Feedback whose operation has not come yet."""

    async def join_missed(self, within: timedelta, most: int) -> int:
        """Join what waits though its operation is there; answers how many."""

    async def waiting(self) -> int:
        """How much waits."""


class Upkeep(Protocol):
    """What is kept for a time."""

    async def remove_old(self, waiting_after: timedelta, most: int) -> int:
        """Remove a portion of what is old; answers how many rows."""


class Ticker:
    """The clock's work, as jobs that run for ever."""

    def __init__(
        self,
        waiting: Waiting,
        upkeep: Upkeep,
        look: Callable[[], Awaitable[None]],
        recall: Callable[[], Awaitable[bool]],
    ) -> None:
        self._waiting = waiting
        self._upkeep = upkeep
        self._look = look
        self._recall = recall
        self.waiting = 0
        """Feedback that the last look found waiting for its operation."""

    async def join(self) -> None:
        """Join feedback and operations that did not see each other.

        First of all that waits: nobody may have looked for long, or the store was away.
        """
        within, rounds = WAITS_FOR, 0
        while True:
            joined = await self._waiting.join_missed(within, JOIN_MOST)
            if joined < JOIN_MOST:
                rounds += 1
                within = MISSED_WITHIN if rounds % ROUNDS_BETWEEN else MISSED_AT_MOST
                await asyncio.sleep(JOIN_EVERY_S)

    async def looks(self) -> None:
        """Look at tests that have changed; while the store is away the runtime tries again."""
        while True:
            started = clock.monotonic()
            await self._look()
            took = clock.monotonic() - started
            await asyncio.sleep(max(LOOK_EVERY_S - took, took / LOOK_SHARE - took))

    async def recall(self) -> None:
        """Read what was before tests, a little at a time."""
        while True:
            started = clock.monotonic()
            has_more = await self._recall()
            took = clock.monotonic() - started
            await asyncio.sleep(PAST_WAITS * took if has_more else PAST_EVERY_S)

    async def count(self) -> None:
        """Say how much waits."""
        while True:
            self.waiting = await self._waiting.waiting()
            await asyncio.sleep(COUNT_EVERY_S)

    async def tidy(self) -> None:
        """Remove what is old, a portion at a time."""
        while True:
            removed = await self._upkeep.remove_old(WAITS_FOR, REMOVED_AT_ONCE)
            await asyncio.sleep(TIDY_EVERY_S if removed < REMOVED_AT_ONCE else 1.0)
