"""The one thread that sends: it takes from a bounded buffer and never gets in the agent's way."""

import asyncio
import contextlib
import http.client
import logging
import os
import random
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from assay_sdk.events import Encoded, Given, Refused
from assay_sdk.link import Link
from assay_sdk.outcome import Counters, FlushResult
from assay_sdk.transports import Later, Sent, Transport

MOST_AT_ONCE = 1_000
IDLE_S = 0.05
FIRST_WAIT_S, MOST_WAIT_S = 0.1, 5.0
WARN_EVERY_S = 60.0
# What nobody foresaw may lie in the events themselves: they must not keep others back for ever.
MOST_ODD_TRIES = 5
# The other side is not there, or left in the middle: that passes.
AWAY = (OSError, http.client.HTTPException)

log = logging.getLogger("assay_sdk")


class _Ready(NamedTuple):
    """An event, and the bytes that are sent of it."""

    given: Given
    encoded: Encoded


class Sender:
    """A buffer and its thread. `put` costs the caller an append."""

    _given: int
    _done: int
    _lost: int
    _failed: int
    _told: tuple[int, int]
    """Delivered and failed events that flush has answered for already."""
    _thread: threading.Thread | None

    def __init__(
        self,
        transport: Callable[[], Transport],
        encode: Callable[[Given], Encoded],
        most: int,
        counters: Counters,
        lost: Callable[[Given], None] = lambda _: None,
    ) -> None:
        """`lost` hears of each event that will not be delivered, on whichever thread that is."""
        self._transport = transport
        self._encode = encode
        self._most = most
        self._counters = counters
        self._tell_lost = lost
        self._begin_anew()
        # A child process has the buffer but not the thread: the parent sends what is in it.
        myself = weakref.ref(self)
        os.register_at_fork(after_in_child=lambda: _begin_anew(myself()))

    def put(self, given: Given) -> None:
        """Take an event; when the buffer is full the oldest gives way, and is counted."""
        buffer = self._buffer
        if len(buffer) >= self._most:
            try:
                oldest = buffer.popleft()
                self._counters.add("dropped:buffer_full")
                self._lost += 1
                self._tell_lost(oldest)
            except IndexError:
                pass  # the thread was quicker
        buffer.append(given)
        self._given += 1
        if self._thread is None:
            self._start()

    def flush(self, timeout_s: float) -> FlushResult:
        """Wait until everything given so far is settled; answers for all since the last flush."""
        wanted, give_up_at = self._given, time.monotonic() + timeout_s
        with self._settled:
            while self._done + self._lost < wanted:
                left = give_up_at - time.monotonic()
                if left <= 0:
                    break
                self._settled.wait(min(left, 0.1))
            failed, delivered = self._failed + self._lost, self._done - self._failed
            told_delivered, told_failed = self._told
            self._told = (delivered, failed)
            pending = max(0, wanted - self._done - self._lost)
        return FlushResult(delivered - told_delivered, failed - told_failed, pending)

    def close(self, timeout_s: float) -> FlushResult:
        """Flush, then end the thread."""
        result = self.flush(timeout_s)
        self._closing = True
        thread = self._thread
        if thread is not None:
            thread.join(min(timeout_s, 2.0))
        self._thread, self._closing = None, False
        return result

    def _begin_anew(self) -> None:
        self._buffer: deque[Given] = deque()
        self._settled = threading.Condition()
        self._starting = threading.Lock()
        self._thread = None
        self._given = self._done = self._lost = self._failed = 0
        self._told = (0, 0)
        self._closing = False
        self._warned_at = -WARN_EVERY_S
        self._is_odd_told = False

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                thread = threading.Thread(target=self._live, name="assay-sender", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # no more threads for now: the next event tries again
                    self._count_odd("no thread to send from")
                else:
                    self._thread = thread

    def _live(self) -> None:
        """Run the loop; one that cannot be made, for want of open files, is made later."""
        while True:
            try:
                with asyncio.Runner() as runner:
                    runner.run(self._run())
            except Exception:
                self._count_odd("no loop to send from")
                if self._closing:
                    return
                time.sleep(FIRST_WAIT_S)
            else:
                return

    async def _run(self) -> None:
        """Send for ever: no error of a transport ends the thread; nobody would start another."""
        link = Link(self._transport)
        with contextlib.suppress(Exception):  # counted where it is needed, if it fails again
            link.made()
        while not (self._closing and not self._buffer):
            events = self._take()
            if events:
                await self._deliver(link, events)
            else:
                await asyncio.sleep(IDLE_S)
        await link.close()

    def _take(self) -> list[_Ready]:
        events: list[_Ready] = []
        while self._buffer and len(events) < MOST_AT_ONCE:
            try:
                given = self._buffer.popleft()
            except IndexError:
                break
            try:
                events.append(_Ready(given, self._encode(given)))
            except Exception as error:
                why = str(error) if isinstance(error, Refused) else "dropped:invalid"
                self._counters.add(why)
                self._settle(1, lost=[given])
        return events

    async def _deliver(self, link: Link, events: list[_Ready]) -> None:
        """Send the same bytes until the other side has them, or we are told to end."""
        wait_s, odd, given = FIRST_WAIT_S, 0, [one.given for one in events]
        while True:
            try:
                sent = await self._sent(link, events)
            except Later as later:
                self._warn(f"not delivered yet, trying again: {later}")
                odd += later.is_odd
                if self._closing or odd >= MOST_ODD_TRIES:
                    self._give_up("dropped:closed" if self._closing else "dropped:failed", given)
                    return
                await asyncio.sleep(max(later.after_s, wait_s * random.uniform(0.5, 1)))  # noqa: S311
                wait_s = min(wait_s * 2, MOST_WAIT_S)
            else:
                self._counters.add("sent", sent.taken)
                if sent.refused:
                    self._counters.add("dropped:refused", sent.refused)
                    self._warn(f"{sent.refused} events were refused as invalid")
                self._settle(len(events), lost=_refused(given, sent), failed=sent.refused)
                return

    async def _sent(self, link: Link, events: list[_Ready]) -> Sent:
        """Send once; whatever goes wrong is a `Later`."""
        try:
            return await link.send([one.encoded for one in events])
        except Later:
            raise
        # A cancellation too, which nobody here asked for, would end the thread.
        except (Exception, asyncio.CancelledError) as error:
            self._count_odd("the transport failed")
            raise Later(repr(error)[:200], is_odd=not isinstance(error, AWAY)) from error

    def _count_odd(self, what: str) -> None:
        """Count an error that is being handled; the first is logged."""
        self._counters.add("transport_errors")
        if not self._is_odd_told:
            self._is_odd_told = True
            log.warning("Assay: %s; it is tried again", what, exc_info=True)

    def _give_up(self, why: str, given: Sequence[Given]) -> None:
        self._counters.add(why, len(given))
        self._settle(len(given), lost=given)

    def _settle(self, count: int, *, lost: Sequence[Given], failed: int | None = None) -> None:
        """Count events; `failed` may be fewer than those that may be `lost`."""
        # Before anybody who waits goes on: what is lost may be given again by then.
        for given in lost:
            self._tell_lost(given)
        with self._settled:
            self._done += count
            self._failed += len(lost) if failed is None else failed
            self._settled.notify_all()

    def _warn(self, what: str) -> None:
        if time.monotonic() - self._warned_at >= WARN_EVERY_S:
            self._warned_at = time.monotonic()
            log.warning("Assay: %s", what)


def _refused(given: Sequence[Given], sent: Sent) -> Sequence[Given]:
    """Who was refused; all of the batch where the transport does not say of each."""
    if len(sent.refused_at) < sent.refused:
        return given
    return [given[place] for place in sent.refused_at]


def _begin_anew(sender: Sender | None) -> None:
    if sender is not None:
        sender._begin_anew()
