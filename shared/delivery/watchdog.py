"""Ends a process that looks alive and does nothing, so that whoever runs it starts another.

Seen: a stray cancellation ends the consume loop while everything claims to run; consumers that
hang after a broker's restart; a Kafka client that hears nothing of brokers that answer everybody
else; an event loop that never returns. None of them shows in a ping.
"""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Collection

import structlog

from shared import clock
from shared.delivery.plan import Partition
from shared.delivery.runner import Runner

EXIT_CODE = 70  # EX_SOFTWARE: restart me
CHECK_EVERY_S = 1.0
DEAD_LOOP_S = 5.0
NO_PROGRESS_S = 25.0
STALL_S = 20.0
DEAF_S = 45.0  # three looks at the log

LogAnswers = Callable[[Collection[Partition]], Awaitable[bool]]
"""Whether a client that is new to it hears where the log of these partitions ends."""

log = structlog.get_logger()


class Watchdog:
    """Watches one consuming process."""

    def __init__(
        self, runner: Runner, loop_lives: Callable[[], bool], log_answers: LogAnswers
    ) -> None:
        self._runner = runner
        self._loop_lives = loop_lives
        self._log_answers = log_answers
        self._others_hear_since: float | None = None
        self._lived_at = clock.monotonic()
        self._beat_at = clock.monotonic()

    async def run(self) -> None:
        """Check all the time; a fault ends the process with exit code 70."""
        await asyncio.gather(self._look(), self._listen())

    async def _look(self) -> None:
        ended = threading.Event()
        threading.Thread(
            target=self._watch_event_loop, args=(ended,), name="watchdog", daemon=True
        ).start()
        try:
            while True:
                self._beat_at = clock.monotonic()
                fault = self.diagnose(self._beat_at)
                if fault:
                    bite(fault)
                await asyncio.sleep(CHECK_EVERY_S)
        finally:
            # A thread that outlived its service would bite whatever this process does next.
            ended.set()

    def diagnose(self, now: float) -> str | None:
        """What is wrong at `now` (monotonic seconds); `None` while all is well."""
        if self._loop_lives():
            self._lived_at = now
        elif now - self._lived_at > DEAD_LOOP_S:
            return "the consume loop has ended"
        since, others = self._runner.waits_for_log_since, self._others_hear_since
        if since is not None and others is not None and now - max(since, others) > DEAF_S:
            return f"Kafka answers others, but not us, for {now - max(since, others):.0f} s"
        # A store that is away is no fault of this process: it waits, and says so.
        if self._runner.waits_for_store_since is not None or not any(self._runner.lag.values()):
            return None
        still_for = now - max(self._runner.progress_at, self._runner.lag_known_since)
        if still_for > NO_PROGRESS_S:
            waiting = sum(self._runner.lag.values())
            return f"{waiting} records wait and nothing moved for {still_for:.0f} s"
        return None

    async def _listen(self) -> None:
        """While the log does not answer us, ask whether it answers others."""
        while True:
            await asyncio.sleep(DEAF_S / 3)
            await self.listen()

    async def listen(self) -> None:
        """Note since when others hear of a log that we do not hear of."""
        asked = self._runner.assigned()
        if self._runner.waits_for_log_since is not None and await self._log_answers(asked):
            self._others_hear_since = self._others_hear_since or clock.monotonic()
        else:
            self._others_hear_since = None

    def _watch_event_loop(self, ended: threading.Event) -> None:
        looked_at = clock.monotonic()
        while not ended.wait(CHECK_EVERY_S):
            now = clock.monotonic()
            # If this thread stood still too, the whole process was stopped: nobody's fault.
            if now - looked_at > 2 * CHECK_EVERY_S:
                self._beat_at = now
            looked_at = now
            if now - self._beat_at > STALL_S:
                bite(f"the event loop has stalled for {now - self._beat_at:.0f} s")


def bite(fault: str) -> None:
    """Say what is wrong and end the process at once."""
    log.critical("watchdog", fault=fault)
    os._exit(EXIT_CODE)
