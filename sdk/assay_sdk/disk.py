"""Batches on disk: written before they are sent, removed when they have arrived.

What a process leaves, however it ends, the next one on the same folder sends: the same bytes under
the same ids, so what had arrived already counts once.
"""

import contextlib
import os
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from assay_sdk.backlog import Ready
from assay_sdk.books import Books
from assay_sdk.claims import Claim, claimed, released, swept
from assay_sdk.events import Given
from assay_sdk.imports import unforked
from assay_sdk.lines import count_in, line_of, name_of, read_lines

MOST_BYTES = 64 * 1024 * 1024
READ_AGAIN_S = 5.0


class DiskPlace(NamedTuple):
    """Where events may be kept, and how much of them."""

    folder: Path
    most_bytes: int

    @classmethod
    def of(
        cls, folder: str | Path, tenant_id: str, most_bytes: int, address: Sequence[str] = ()
    ) -> "DiskPlace":
        """A folder of the tenant's and of where it sends, and with which key.

        What was meant for another is never sent here, nor as this one's.
        """
        name = "tenant-" + quote(tenant_id, safe="")
        if address:
            digest = sha256("\0".join(address).encode("utf-8", "replace")).hexdigest()
            name += f"-{digest[:16]}"
        return cls(Path(folder, name), most_bytes)


@dataclass(slots=True)
class _Batch:
    count: int
    size: int
    path: Path | None
    events: Sequence[Ready] | None
    """Kept in memory too while nothing waits before it, so that it is not read again."""
    read_at: float = 0.0
    """Not before, by the monotonic clock: it could not be read."""


class Disk:
    """A backlog that outlives its process. One folder serves many processes, each in its own."""

    def __init__(self, place: DiskPlace, books: Books) -> None:
        """Claim a folder of one's own and those that nobody holds; `OSError` if there is none."""
        self._most, self._books = place.most_bytes, books
        self._claims: list[Claim] = claimed(place.folder)
        self._own, self._number = self._claims[0].folder, 0
        self._batches: deque[_Batch] = deque()
        self._size = self.kept = 0
        self.is_left, self._told_as_left = False, 0
        for path in sorted(self._found(), key=lambda path: path.name):
            self._enter(_Batch(count_in(path), _size(path), path, None))
        self._claims = swept(self._claims)
        books.ledger.find(self.kept)
        self._make_room(0)

    def has_room(self) -> bool:
        """Whether another may come: not while one waits that could not be written."""
        return not any(batch.path is None for batch in self._batches)

    def add(self, events: Sequence[Ready]) -> None:
        """Write a batch; one that cannot be written waits in memory."""
        lines = b"".join(line_of(one.encoded) for one in events)
        path: Path | None = None
        if len(lines) <= self._most:
            self._make_room(len(lines))
            path = self._written(lines, len(events))
        held = events if path is None or not self._batches else None
        self._enter(_Batch(len(events), len(lines) if path else 0, path, held))

    def first(self) -> Sequence[Ready] | None:
        """The oldest batch that can be read; half lines are counted and passed over."""
        for _ in range(len(self._batches)):
            batch = self._batches[0]
            if batch.events is None:
                batch.events = self._read(batch)
            if batch.events:
                return batch.events
            if batch.events is None:  # it may be healthy: others go before it
                self._batches.rotate(-1)
            else:
                self.done()
        return None

    def done(self) -> None:
        """Remove it."""
        self._remove(self._batches.popleft())

    def leave(self) -> Sequence[Ready]:
        """Files stay, for whoever claims them next; it may be this process."""
        unwritten = [batch for batch in self._batches if batch.path is None]
        for batch in unwritten:
            self._batches.remove(batch)
        self._books.ledger.find(self._told_as_left - self.kept)  # they are no longer ours
        self._told_as_left = self.kept
        self.is_left = True
        unforked(self._release)
        return [one for batch in unwritten for one in batch.events or ()]

    def _release(self) -> None:
        claims, self._claims = self._claims, []
        released(claims)

    def forget(self) -> None:
        """In a child process: the parent's files are the parent's."""
        for claim in self._claims:
            claim.forget()

    def _found(self) -> list[Path]:
        return [path for claim in self._claims for path in claim.folder.glob("*.jsonl")]

    def _enter(self, batch: _Batch) -> None:
        self._batches.append(batch)
        self._size += batch.size
        self.kept += batch.count if batch.path else 0

    def _written(self, lines: bytes, count: int) -> Path | None:
        self._number += 1
        path = self._own / name_of(self._number, count)
        try:
            _write(path, lines)
        except OSError:
            self._books.count_odd("an event could not be kept on disk", "disk_errors")
            with contextlib.suppress(OSError):  # what stays is sent again, under the same ids
                path.unlink(missing_ok=True)
            return None
        return path

    def _read(self, batch: _Batch) -> Sequence[Ready] | None:
        assert batch.path is not None  # noqa: S101 - what is not on disk is in memory
        if time.monotonic() < batch.read_at:
            return None
        try:
            events = read_lines(batch.path)
        except OSError:
            self._books.count_odd("a file could not be read", "disk_errors")
            batch.read_at = time.monotonic() + READ_AGAIN_S
            return None
        gone = max(0, batch.count - len(events))
        self._books.lose("dropped:disk_unreadable", [Given("", 0, {})] * gone)
        self.kept -= gone
        batch.count = len(events)
        return events

    def _make_room(self, size: int) -> None:
        """The oldest give way, but for the one that may be on its way."""
        while self._size + size > self._most and len(self._batches) > 1:
            batch = self._batches[1]
            del self._batches[1]
            events = batch.events
            if events is None and batch.path is not None:
                with contextlib.suppress(OSError):  # who is in it is not known, only how many
                    events = read_lines(batch.path)
            lost = [one.given for one in events or ()]
            lost += [Given("", 0, {})] * (batch.count - len(lost))
            self._books.lose("dropped:disk_full", lost)
            self._remove(batch)

    def _remove(self, batch: _Batch) -> None:
        self._size -= batch.size
        if batch.path is not None:
            self.kept -= batch.count
            try:
                batch.path.unlink(missing_ok=True)
            except OSError:
                # It is sent again at the next start, under the same ids.
                self._books.count_odd("a file could not be removed", "disk_errors")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # reading it says what is wrong


def _write(path: Path, lines: bytes) -> None:
    """A new file that nobody else may read; not forced onto the disk: a process may die, not all.

    `OSError` also where only a part could be written.
    """
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        written = os.write(file, lines)
    finally:
        os.close(file)
    if written != len(lines):
        raise OSError(f"{written} of {len(lines)} bytes could be written")
