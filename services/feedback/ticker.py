"""What feedback does by the clock: rows that are due, ingest's news, nights, changes to tell."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, Protocol

import structlog

from shared import clock
from shared.clock import Clock
from shared.producer import UnsendableError

MAKE_EVERY_S = 0.2
# While feedback is to be read, making rows waits twice as long as it works.
BEHIND_WAITS = 2.0
FOLLOW_EVERY_S = 1.0
TELL_EVERY_S = 0.5
TELL_MOST = 500
NIGHT_EVERY_S = 60.0
AGE_EVERY_S = 300.0
AGE_MOST = 5_000
REPORT_EVERY_S = 60.0
REPORT_MOST = 1_000
REPORT_AFTER: Final = timedelta(hours=24)
COUNT_EVERY_S = 10.0
FREEZE_EVERY_S = 0.5
FORGET_EVERY_S = 3600.0
FORGET_AFTER: Final = timedelta(days=7)
FORGET_MOST = 5_000
RETENTION_EVERY_S = 60.0

Publish = Callable[[Sequence[Any]], Awaitable[None]]

log = structlog.get_logger()


class Making(Protocol):
    """Rows that are due."""

    async def make(self, now: datetime) -> int:
        """Make a portion; answers how many operations."""


class Following(Protocol):
    """News of ingest."""

    async def follow(self) -> int:
        """Note what is due by them; answers how much."""


class Freezing(Protocol):
    """Datasets that were asked for."""

    async def freeze(self, now: datetime) -> bool:
        """Freeze one; false if none waits."""


class Raters(Protocol):
    """How reliable raters are."""

    async def night(self, now: datetime) -> bool:
        """Reckon, once a day."""


class Telling(Protocol):
    """Changes that are to be told."""

    def relaying(self, most: int) -> AbstractAsyncContextManager[Sequence[Any]]:
        """A portion; marked when the block ends well."""

    async def forget(self, before: datetime, most: int) -> int:
        """Remove what was told long ago; answers how much."""


class Upkeep(Protocol):
    """What time alone does."""

    async def age(self, now: datetime, most: int) -> int:
        """Note what is due by age; answers how much."""

    async def report(self, after: timedelta, most: int) -> dict[str, int]:
        """Operations missing for so long, by tenant, each once."""

    async def waiting(self) -> int:
        """How many operations are missing."""


class Retaining(Protocol):
    """What was said too long ago."""

    async def look(self) -> int:
        """Have a portion erased; answers how many operations."""


class Clocks(NamedTuple):
    """What time it is, and whether there is none to lose: feedback is to be read."""

    now: Clock
    is_behind: Callable[[], bool]


class Ticker:
    """The clock's work, as jobs that run for ever."""

    def __init__(
        self,
        making: Making,
        following: Following,
        freezing: Freezing,
        raters: Raters,
        upkeep: Upkeep,
        clocks: Clocks,
    ) -> None:
        self._now, self._is_behind = clocks
        self._making = making
        self._following = following
        self._freezing = freezing
        self._raters = raters
        self._upkeep = upkeep
        self.waiting = 0
        """Operations that the last look found missing."""

    async def make(self) -> None:
        """Make rows as long as some are due; what people say comes first."""
        while True:
            started = clock.monotonic()
            made = await self._making.make(self._now())
            took = clock.monotonic() - started
            if not made:
                await asyncio.sleep(MAKE_EVERY_S)
            elif self._is_behind():
                await asyncio.sleep(BEHIND_WAITS * took)

    async def follow(self) -> None:
        """See what ingest has stored meanwhile."""
        while True:
            await self._following.follow()
            await asyncio.sleep(FOLLOW_EVERY_S)

    async def freeze(self) -> None:
        """Freeze datasets as long as some are asked for."""
        while True:
            if not await self._freezing.freeze(self._now()):
                await asyncio.sleep(FREEZE_EVERY_S)

    async def nights(self) -> None:
        """Reckon how reliable raters are, once a day."""
        while True:
            if await self._raters.night(self._now()):
                log.info("raters_reckoned")
            await asyncio.sleep(NIGHT_EVERY_S)

    async def age(self) -> None:
        """Let what is old be weighed anew."""
        while True:
            await self._upkeep.age(self._now(), AGE_MOST)
            await asyncio.sleep(AGE_EVERY_S)

    async def report(self) -> None:
        """Tell of operations that do not come."""
        while True:
            late = await self._upkeep.report(REPORT_AFTER, REPORT_MOST)
            for tenant_id, count in late.items():
                hours = REPORT_AFTER.total_seconds() / 3600
                log.warning("operations_missing", tenant=tenant_id, count=count, hours=hours)
            await asyncio.sleep(REPORT_EVERY_S)

    async def count(self) -> None:
        """Say how much waits."""
        while True:
            self.waiting = await self._upkeep.waiting()
            await asyncio.sleep(COUNT_EVERY_S)


class Teller:
    """Tells changes; the rows stay the truth."""

    def __init__(self, telling: Telling, publish: Publish, now: Clock) -> None:
        self._telling = telling
        self._publish = publish
        self._now = now

    async def tell(self) -> None:
        """Publish what changed, for ever."""
        while True:
            async with self._telling.relaying(TELL_MOST) as changes:
                await self._tell(changes)
            if len(changes) < TELL_MOST:
                await asyncio.sleep(TELL_EVERY_S)

    async def _tell(self, changes: Sequence[Any]) -> None:
        """Publish changes; one that no broker will ever take is logged, and holds up no other."""
        if not changes:
            return
        try:
            await self._publish(changes)
        except UnsendableError as error:
            if len(changes) == 1:
                event_id = str(changes[0]["event_id"])
                log.error("change_refused", event_id=event_id, why=repr(error)[:300])
                return
            for change in changes:
                await self._tell([change])

    async def forget(self) -> None:
        """Remove what was told long ago, a portion at a time."""
        while True:
            gone = await self._telling.forget(self._now() - FORGET_AFTER, FORGET_MOST)
            await asyncio.sleep(FORGET_EVERY_S if gone < FORGET_MOST else 1.0)


class Retention:
    """Letting go of what has been kept long enough, as a job."""

    def __init__(self, retaining: Retaining) -> None:
        self._retaining = retaining

    async def run(self) -> None:
        """A portion a minute, for ever: what is erased in between holds nobody up."""
        while True:
            if noted := await self._retaining.look():
                log.info("retention_let_go", training=noted)
            await asyncio.sleep(RETENTION_EVERY_S)
