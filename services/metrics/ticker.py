"""What metrics does by the clock: views, waiting feedback, comparisons, upkeep."""

import asyncio
from collections.abc import Awaitable, Callable

from shared import clock

LOOK_EVERY_S = 0.5
JOIN_EVERY_S = 1.0
UPKEEP_EVERY_S = 1.0
COMPARE_EVERY_S = 60.0
# An alert needs two looks in a row: at this pace it fires within ten seconds.
JUDGE_EVERY_S = 4.0
TELL_EVERY_S = 0.5
# A look may take at most this share of the time, however many models there are.
LOOK_SHARE = 0.3
STATUS_SHARE = 0.15

Work = Callable[[], Awaitable[None]]


async def _every(seconds: float, work: Work, *, share: float = 1.0) -> None:
    while True:
        started = clock.monotonic()
        await work()
        took = clock.monotonic() - started
        await asyncio.sleep(max(seconds - took, took / share - took))


class JudgeTicker:
    """The clock's work on what is judged: alerts, or health."""

    def __init__(self, refresh: Work, judge: Work, tell: Work, share: float = LOOK_SHARE) -> None:
        self._refresh = refresh
        self._judge = judge
        self._tell = tell
        self._share = share

    async def settings(self) -> None:
        """Read what people set and did."""
        await _every(JUDGE_EVERY_S, self._refresh)

    async def looks(self) -> None:
        """Look at every model."""
        await _every(JUDGE_EVERY_S, self._judge, share=self._share)

    async def tales(self) -> None:
        """Tell what became of it."""
        await _every(TELL_EVERY_S, self._tell)


class Ticker:
    """The clock's work, as jobs that run for ever."""

    def __init__(self, look: Work, join: Work, compare: Work, keep_up: Work) -> None:
        self._look = look
        self._join = join
        self._compare = compare
        self._keep_up = keep_up

    async def views(self) -> None:
        """Bring views up to now, about twice a second."""
        await _every(LOOK_EVERY_S, self._look, share=LOOK_SHARE)

    async def joins(self) -> None:
        """Join waiting feedback."""
        await _every(JOIN_EVERY_S, self._join)

    async def upkeep(self) -> None:
        """Look after the server."""
        await _every(UPKEEP_EVERY_S, self._keep_up)

    async def comparisons(self) -> None:
        """Compare live cells with the stored minutes; the first time once there are some."""
        await asyncio.sleep(COMPARE_EVERY_S)
        await _every(COMPARE_EVERY_S, self._compare)
