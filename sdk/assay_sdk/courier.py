"""What the sender's thread does: encode, send the same bytes until they arrive, count."""

import asyncio
import http.client
import logging
import random
import time
from collections import deque
from collections.abc import Callable, Sequence

from assay_sdk.backlog import Backlog, Memory, Ready
from assay_sdk.books import Books
from assay_sdk.events import MAX_EVENT, Encoded, Given, Refused
from assay_sdk.link import Link
from assay_sdk.transports import Later, Sent

MOST_AT_ONCE, MOST_BYTES_AT_ONCE = 1_000, 1_000_000
"""A batch must arrive within a transport's deadline, on a slow line too: it is sent as a whole."""
IDLE_S = 0.05
FIRST_WAIT_S, MOST_WAIT_S = 0.1, 5.0
WARN_EVERY_S = 60.0
# What nobody foresaw may lie in the events themselves: they must not keep others back for ever.
MOST_ODD_TRIES = 5
# The other side is not there, or left in the middle: that passes.
AWAY = (OSError, http.client.HTTPException)

log = logging.getLogger("assay_sdk")


class Courier:
    """Takes from the buffer into the backlog, and from there to the other side."""

    def __init__(
        self,
        buffer: deque[Given],
        encode: Callable[[Given], Encoded],
        books: Books,
    ) -> None:
        self._buffer = buffer
        self._encode = encode
        self._backlog: Backlog = Memory()
        self._books = books
        self.is_ending = False
        self._ended: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._warned_at = -WARN_EVERY_S
        self._wait_s, self._odd, self._next_try_at = FIRST_WAIT_S, 0, 0.0

    def load(self, backlog: Backlog) -> None:
        """Work with this backlog: before all else."""
        self._backlog = backlog

    def end(self) -> None:
        """Stop sending, from whatever thread: what is left is kept or given up."""
        self.is_ending = True
        loop, ended = self._loop, self._ended
        if loop is not None and ended is not None and not loop.is_closed():
            loop.call_soon_threadsafe(ended.set)

    async def work(self, link: Link) -> None:
        """Send until told to end: no error of a transport ends it; nobody would start another."""
        self._ended, self._loop = asyncio.Event(), asyncio.get_running_loop()
        while not self.is_ending:
            if self._backlog.has_room():
                self.take()
            batch = self._backlog.first()
            if batch is None:
                await self._pause(IDLE_S)
            elif time.monotonic() < self._next_try_at:
                await self._pause(min(IDLE_S, self._next_try_at - time.monotonic()))
            else:
                await self._try(link, batch)
        self.leave()

    def take(self) -> None:
        """Encode what the buffer holds, into the backlog."""
        events: list[Ready] = []
        size = 0
        while len(events) < MOST_AT_ONCE and size <= MOST_BYTES_AT_ONCE - MAX_EVENT:
            given = self._books.take()
            if given is None:
                break
            try:
                events.append(Ready(given, self._encode(given)))
                size += len(events[-1].encoded.value)
            except BaseException as error:  # a mask may raise SystemExit: it ends no thread of ours
                why = str(error) if isinstance(error, Refused) else "dropped:invalid"
                self._books.lose(why, [given])
        try:
            if events:
                self._backlog.add(events)
        except Exception:
            self._books.count_odd("events could not be put by", "disk_errors")
            self._books.lose("dropped:failed", [one.given for one in events])

    def leave(self) -> None:
        """Nothing is sent any more: keep what can be kept, give up the rest, by name."""
        while self._buffer and self._backlog.has_room():
            self.take()
        self._books.lose("dropped:closed", [one.given for one in self._backlog.leave()])
        while (given := self._books.take()) is not None:
            self._books.lose("dropped:closed", [given])

    async def _try(self, link: Link, batch: Sequence[Ready]) -> None:
        """Send once; who was not there is asked again later, with the same bytes."""
        try:
            sent = await self._sent(link, [one.encoded for one in batch])
        except Later as later:
            self._warn(f"not delivered yet, trying again: {later}")
            self._odd += later.is_odd
            if self._odd >= MOST_ODD_TRIES:
                self._books.lose("dropped:failed", [one.given for one in batch])
                self._over()
                return
            wait_s = max(later.after_s, self._wait_s * random.uniform(0.5, 1))  # noqa: S311
            self._next_try_at = time.monotonic() + wait_s
            self._wait_s = min(self._wait_s * 2, MOST_WAIT_S)
            return
        if sent is None:
            return  # told to end meanwhile
        self._books.counters.add("sent", sent.taken)
        if sent.refused:
            self._books.counters.add("dropped:refused", sent.refused)
            self._warn(f"{sent.refused} events were refused as invalid")
        given = [one.given for one in batch]
        self._books.settle(len(batch), lost=_refused(given, sent), failed=sent.refused)
        self._over()

    def _over(self) -> None:
        self._backlog.done()
        self._tries_anew()

    def _tries_anew(self) -> None:
        self._wait_s, self._odd, self._next_try_at = FIRST_WAIT_S, 0, 0.0

    async def _sent(self, link: Link, events: Sequence[Encoded]) -> Sent | None:
        """Send once; whatever goes wrong is a `Later`, and `None` is for being told to end."""
        assert self._ended is not None  # noqa: S101 - made where the loop began
        sending = asyncio.ensure_future(link.send(events))
        ending = asyncio.ensure_future(self._ended.wait())
        await asyncio.wait((sending, ending), return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        if not sending.done():
            sending.cancel()
            return None
        try:
            return sending.result()
        except Later:
            raise
        # A cancellation too, which nobody here asked for, would end the thread.
        except (Exception, asyncio.CancelledError) as error:
            self._books.count_odd("the transport failed")
            raise Later(type(error).__name__, is_odd=not isinstance(error, AWAY)) from error

    async def _pause(self, seconds: float) -> None:
        assert self._ended is not None  # noqa: S101 - made where the loop began
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            pass

    def _warn(self, what: str) -> None:
        if time.monotonic() - self._warned_at >= WARN_EVERY_S:
            self._warned_at = time.monotonic()
            log.warning("Assay: %s", what)


def _refused(given: Sequence[Given], sent: Sent) -> Sequence[Given]:
    """Who was refused; all of the batch where the transport does not say of each."""
    if len(sent.refused_at) < sent.refused:
        return given
    return [given[place] for place in sent.refused_at]
