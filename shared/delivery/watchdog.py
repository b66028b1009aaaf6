"""Ends a process that looks alive and does nothing, so that whoever runs it starts another.

Seen: a stray cancellation ends the consume loop while everything claims to run; consumers that
hang after a broker's restart; an event loop that never returns. None of them shows in a ping.
"""

import asyncio
import os
import threading
from collections.abc import Callable

import structlog

from shared import clock
from shared.delivery.runner import Runner

EXIT_CODE = 70  # EX_SOFTWARE: restart me
CHECK_EVERY_S = 1.0
DEAD_LOOP_S = 5.0
NO_PROGRESS_S = 25.0
STALL_S = 20.0

log = structlog.get_logger()


class Watchdog:
    """Watches one consuming process."""

    def __init__(self, runner: Runner, loop_lives: Callable[[], bool]) -> None:
        self._runner = runner
        self._loop_lives = loop_lives
        self._lived_at = clock.monotonic()
        self._beat_at = clock.monotonic()

    async def run(self) -> None:
        """Check every second; a fault ends the process with exit code 70."""
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
        # A store that is away is no fault of this process: it waits, and says so.
        if self._runner.waits_for_store_since is not None or not any(self._runner.lag.values()):
            return None
        still_for = now - max(self._runner.progress_at, self._runner.lag_known_since)
        if still_for > NO_PROGRESS_S:
            waiting = sum(self._runner.lag.values())
            return f"{waiting} records wait and nothing moved for {still_for:.0f} s"
        return None

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
