"""What notify does by the clock: send what is due, count what waits, remove what is old."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

import structlog

from services.notify.domain.lane import Lane
from shared import telemetry
from shared.clock import Clock
from shared.tasks import end

LOOK_EVERY_S = 0.5
COUNT_EVERY_S = 5.0
TIDY_EVERY_S = 3600.0
MOST_OF_A_TENANT = 8  # lanes at once: nobody's dead receivers hold up the others
PORTION = 4
KEPT_FOR: Final = timedelta(days=30)
REMOVED_AT_ONCE = 5_000

log = structlog.get_logger()


class Store(Protocol):
    """Where lanes are taken."""

    async def take(self, holder: UUID, most: int, crowded: Collection[str]) -> list[Lane]:
        """Hold channels at which something is due."""

    async def remove_old(self, before: datetime, most: int) -> int:
        """Remove what has ended before an instant; answers how many."""

    async def backlog(self) -> tuple[int, float]:
        """How many deliveries wait, and how long the oldest has (s)."""


class Ticker:
    """The clock's work, as jobs that run for ever."""

    def __init__(
        self,
        store: Store,
        serve: Callable[[Lane], Awaitable[None]],
        at_once: int,
        now: Clock,
        new_id: Callable[[], UUID],
    ) -> None:
        self._store = store
        self._serve = serve
        self._at_once = at_once
        self._now = now
        self._new_id = new_id
        self.waiting = 0
        """Deliveries that the last look found unsent."""
        self._woken = asyncio.Event()
        self._running: dict[asyncio.Task[None], str] = {}

    def wake(self) -> None:
        """Something may be due."""
        self._woken.set()

    async def send(self) -> None:
        """Give each channel at which something is due to a task of its own."""
        while True:
            self._woken.clear()
            await self._start_some()
            await self._rest()

    async def count(self) -> None:
        """Say how much waits."""
        while True:
            self.waiting, age_s = await self._store.backlog()
            telemetry.NOTIFICATIONS_WAITING.set(self.waiting)
            telemetry.NOTIFICATIONS_AGE.set(age_s)
            await asyncio.sleep(COUNT_EVERY_S)

    async def tidy(self) -> None:
        """Remove deliveries that ended long ago, a portion at a time."""
        while True:
            removed = await self._store.remove_old(self._now() - KEPT_FOR, REMOVED_AT_ONCE)
            await asyncio.sleep(TIDY_EVERY_S if removed < REMOVED_AT_ONCE else 0)

    async def finish(self, within_s: float) -> None:
        """Let what is being sent come to its end."""
        if self._running:
            await asyncio.wait(self._running, timeout=within_s)
            await end(list(self._running))

    async def _start_some(self) -> None:
        while (room := self._at_once - len(self._running)) > 0:
            lanes = Counter(self._running.values())
            crowded = [tenant for tenant, n in lanes.items() if n > MOST_OF_A_TENANT - PORTION]
            most = min(room, PORTION)  # which may all be one tenant's
            taken = await self._store.take(self._new_id(), most, crowded)
            for lane in taken:
                task = asyncio.ensure_future(self._serve(lane))
                self._running[task] = lane.target.tenant_id
                task.add_done_callback(self._ended)
            if len(taken) < most:
                return

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        self.wake()
        if not task.cancelled() and (error := task.exception()):
            # Its lease runs out, and somebody goes on.
            log.warning("lane_failed", why=type(error).__name__)

    async def _rest(self) -> None:
        waking = asyncio.ensure_future(self._woken.wait())
        await asyncio.wait([waking], timeout=LOOK_EVERY_S)
        waking.cancel()
