"""The one thread that sends: it takes from a bounded buffer and never gets in the agent's way."""

import asyncio
import contextlib
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from assay_sdk.backlog import Backlog, Memory
from assay_sdk.books import Books
from assay_sdk.courier import FIRST_WAIT_S, Courier
from assay_sdk.disk import Disk, DiskPlace
from assay_sdk.events import Encoded, Given, prepare
from assay_sdk.helper import Helper
from assay_sdk.imports import load, unforked
from assay_sdk.link import Link
from assay_sdk.outcome import Counters, FlushResult
from assay_sdk.transports import Transport

LEAVING_S = 0.5
"""Of the time that closing may take, what is set aside for keeping or giving up the rest."""


class Hears(NamedTuple):
    """Who is told what becomes of things."""

    lost: Callable[[Given], None]
    """Of each event that will not be delivered, on whichever thread that is."""
    started: Callable[[], None]
    """That this process has something to send before it ends."""
    forked: Callable[[], None]
    """That this is a child process."""


class Sender:
    """A buffer and its thread. `put` costs the caller an append."""

    _thread: threading.Thread | None
    _before: threading.Thread | None
    """One that was told to end, and may not have yet."""
    _courier: Courier | None

    def __init__(
        self,
        transport: Callable[[], Transport],
        encode: Callable[[Given], Encoded],
        most: int,
        counters: Counters,
        hears: Hears,
        disk: DiskPlace | None = None,
    ) -> None:
        self._transport = transport
        self._encode = encode
        self._most = max(1, most)
        self._counters = counters
        self._hears = hears
        self._place = disk
        self._begin()
        _senders.add(self)
        if disk is not None:
            self._start()  # what an earlier process left goes out without waiting for an event

    def put(self, kind: str, fields: dict[str, Any]) -> None:
        """Take an event; when the buffer is full the oldest gives way, and is counted.

        `fields` are ours alone from here on: they are read on another thread.
        """
        # No lock, and nothing that a signal or another thread could come between.
        self._buffer.append(Given(kind, time.time_ns(), fields))
        if len(self._buffer) > self._most:
            self._make_room()
        if not self._is_sending:  # asking the thread whether it lives takes long
            self._start()

    def flush(self, timeout_s: float) -> FlushResult:
        """Wait until everything given so far is settled; answers for all since the last flush."""
        ledger, give_up_at = self._books.ledger, time.monotonic() + timeout_s
        if self._buffer and not self._is_sending:  # what a thread that died has left
            self._start()
        self._look(give_up_at)
        return ledger.tell(ledger.wait(give_up_at), self._kept)

    def close(self, timeout_s: float) -> FlushResult:
        """Flush, then end the thread; what is left is kept on disk or given up."""
        give_up_at, ledger = time.monotonic() + timeout_s, self._books.ledger
        wait_until = give_up_at - min(LEAVING_S, timeout_s / 4)
        self._look(wait_until)
        wanted = ledger.wait(wait_until)
        with self._starting:
            thread, courier = self._thread, self._courier
            self._is_sending, self._thread, self._courier = False, None, None
            self._before = thread or self._before
            if courier is not None:
                courier.end()  # before the lock is free: a thread that only starts sees it
        if thread is not None and courier is not None:
            thread.join(max(0.0, give_up_at - time.monotonic()))
        return ledger.tell(wanted, self._kept)

    def _look(self, until: float) -> None:
        """What an earlier process left counts as given once it has been found."""
        if self._place is not None and self._thread is not None:
            self._has_backlog.wait(max(0.0, until - time.monotonic()))

    def _make_room(self) -> None:
        while (oldest := self._books.take(self._most)) is not None:
            self._books.lose("dropped:buffer_full", [oldest])

    def _kept(self) -> int:
        return 0 if self._backlog is None else self._backlog.kept

    def _begin(self) -> None:
        self._buffer: deque[Given] = deque()
        self._starting = threading.RLock()  # a signal's handler may put amid another put
        self._books = Books(self._counters, self._hears.lost, self._buffer)
        self._backlog: Backlog | None = None  # made on the thread
        self._has_backlog = threading.Event()
        self._thread = self._before = self._courier = None
        self._is_starting = self._is_sending = False

    def begin_anew(self) -> None:
        """In a child process: what its parent has is the parent's to send."""
        self._counters.begin_anew()
        self._hears.forked()
        if isinstance(self._backlog, Disk):
            self._backlog.forget()
        self._begin()

    def _start(self) -> None:
        with self._starting:
            is_there = self._thread is not None and self._thread.is_alive()
            if is_there or self._is_starting:  # by whom a signal interrupted
                return
            self._is_starting = True
            try:
                self._start_one()
            finally:
                self._is_starting = False

    def _start_one(self) -> None:
        self._hears.started()
        self._has_backlog.clear()
        courier = Courier(self._buffer, self._encode, self._books)
        thread = threading.Thread(
            target=self._live, args=(courier, self._before), name="assay-sender", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:  # no more threads for now: the next event tries again
            self._books.count_odd("no thread to send from")
        else:
            self._thread, self._courier = thread, courier

    def _open(self) -> None:
        if self._backlog is None or self._backlog.is_left:
            self._backlog = self._opened()

    def _opened(self) -> Backlog:
        """The disk's backlog, as far as it can be had."""
        if self._place is not None:
            try:
                return Disk(self._place, self._books)
            except Exception:  # whatever it is, the agent goes on without
                self._books.count_odd("no disk to keep events on", "disk_errors")
        return Memory()

    def _live(self, courier: Courier, before: threading.Thread | None) -> None:
        with self._starting:
            if self._thread is None and not courier.is_ending:
                # Whoever started us was interrupted before they could say so.
                self._thread, self._courier = threading.current_thread(), courier
            is_ours = self._courier is courier
            self._is_sending = self._is_sending or is_ours
        if not is_ours and not courier.is_ending:
            return  # another was started meanwhile
        try:
            self._work(courier, before)
        finally:
            with self._starting:
                if self._courier is courier:  # whatever ended it: the next event starts another
                    self._is_sending, self._before = False, self._thread
                    self._thread = self._courier = None

    def _work(self, courier: Courier, before: threading.Thread | None) -> None:
        """Run the loop; one that cannot be made, for want of open files, is made later."""
        if before is not None:
            before.join()  # two would take from one backlog
        unforked(self._open)
        if self._backlog is not None:
            courier.load(self._backlog)
        self._has_backlog.set()
        while True:
            try:
                self._run(courier)
            except BaseException:  # nobody would hear of it
                self._books.count_odd("no loop to send from")
                if courier.is_ending:
                    courier.leave()
                    return
                time.sleep(FIRST_WAIT_S)
            else:
                return

    def _run(self, courier: Courier) -> None:
        loop = asyncio.new_event_loop()
        link = Link(self._transport)
        try:
            loop.set_default_executor(Helper())
            with contextlib.suppress(Exception):  # counted where it is needed, if it fails again
                load("pydantic_core", "encodings.idna")
                unforked(prepare)
                link.made()
            loop.run_until_complete(courier.work(link))
            loop.run_until_complete(_released(link))
        finally:
            loop.close()


async def _released(link: Link) -> None:
    """Let connections go, and whatever they had going on."""
    await link.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others, timeout=LEAVING_S)


# A child process has the buffer but not the thread: the parent sends what is in it. Asked for here,
# so that it comes before what the agent wants done in its children: that may give events.
_senders: "weakref.WeakSet[Sender]" = weakref.WeakSet()


def _begin_anew() -> None:
    for sender in list(_senders):
        sender.begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
