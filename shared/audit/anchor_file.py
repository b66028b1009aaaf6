"""The anchor file: appended to by whoever holds its lock, never rewritten."""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from shared.audit.anchors import Place, line_of, read_lines
from shared.audit.chain import Anchor, Head
from shared.audit.keys import Keys

OWN_ONLY = 0o600
SPOILT = b"#\n"
"""Ends what a crash has left of a line, so that it is none even if only its end was missing."""


class AnchorFile:
    """Reads what others have appended, then appends what is new. Blocking: for a thread."""

    def __init__(self, path: Path, keys: Keys) -> None:
        self._path = path
        self._keys = keys
        self._begin(None)

    def _begin(self, which: tuple[int, int] | None) -> None:
        """Nothing is read yet of a file, which has this device and number on it."""
        self._which = which
        self._offset = 0
        self._place = Place()
        self._known: dict[str, Head] = {}
        """The last anchor of each tenant."""

    @contextmanager
    def locked(self) -> Iterator["Appending"]:
        """Keep others from appending; raises OSError and, where touched, AnchorsBrokenError."""
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, OWN_ONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            self._catch_up(descriptor)
            yield Appending(self, descriptor)
        finally:
            os.close(descriptor)  # and with it the lock

    def _catch_up(self, descriptor: int) -> None:
        found = os.fstat(descriptor)
        which = found.st_dev, found.st_ino
        if which != self._which or found.st_size < self._offset:
            # Moved away, or cut: what is there is read anew, and goes on from there.
            self._begin(which)
        try:
            with os.fdopen(os.dup(descriptor), "rb") as file:
                file.seek(self._offset)
                for anchor, place in read_lines(file, self._keys, self._place):
                    self._place = place
                    self._known[anchor.tenant_id] = Head(anchor.sequence, anchor.row_hash)
                self._offset = file.tell()
        except BaseException:
            self._begin(None)  # half of it was read
            raise

    def append(self, descriptor: int, heads: Sequence[Anchor]) -> int:
        """Add those that are not there yet, and wait until the disk has them; answers how many."""
        new = [
            one
            for one in heads
            if self._known.get(one.tenant_id) != Head(one.sequence, one.row_hash)
        ]
        content = b"" if self._ends_whole(descriptor) else SPOILT
        place = self._place
        for one in new:
            line, place = line_of(one, place, self._keys)
            content += line
        if new:
            _write(descriptor, content)
            os.fsync(descriptor)
        return len(new)

    def _ends_whole(self, descriptor: int) -> bool:
        size = os.fstat(descriptor).st_size
        return size == 0 or os.pread(descriptor, 1, size - 1) == b"\n"


class Appending:
    """The file while it is ours."""

    def __init__(self, file: AnchorFile, descriptor: int) -> None:
        self._file = file
        self._descriptor = descriptor

    def append(self, heads: Sequence[Anchor]) -> int:
        """Add heads that are not there yet; answers how many."""
        return self._file.append(self._descriptor, heads)


def lines_of(path: Path) -> Iterator[bytes]:
    """Lines of the file, one at a time; none where there is none yet."""
    try:
        with path.open("rb") as file:
            yield from file
    except FileNotFoundError:
        return


def _write(descriptor: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]
