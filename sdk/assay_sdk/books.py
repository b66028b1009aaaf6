"""Where is written what becomes of events."""

import logging
import sys
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from assay_sdk.events import Given
from assay_sdk.ledger import Ledger
from assay_sdk.outcome import Counters

log = logging.getLogger("assay_sdk")


class Books:
    """The ledger of this process, the counters, and who hears of what is lost."""

    def __init__(
        self, counters: Counters, lost: Callable[[Given], None], buffer: deque[Given] | None = None
    ) -> None:
        """`lost` hears of each event that will not be delivered; `buffer` is where they wait."""
        self._buffer = deque() if buffer is None else buffer
        self.ledger = Ledger(self._buffer)
        self.counters = counters
        self._tell_lost = lost
        self._is_odd_told = False

    def take(self, beyond: int = 0) -> Given | None:
        """The oldest event out of the buffer, if there are more than so many."""
        with self.ledger.lock:
            if len(self._buffer) <= beyond:
                return None
            given = self._buffer[0]
            # Nothing is called from here on: a signal comes before, or when it is counted.
            del self._buffer[0]
            self.ledger.taken += 1
            return given

    def lose(self, why: str, given: Sequence[Given]) -> None:
        """These will never be sent."""
        if given:
            self.counters.add(why, len(given))
            self.settle(len(given), lost=given)

    def settle(self, count: int, *, lost: Sequence[Given], failed: int | None = None) -> None:
        """Of `count` events these are lost; `failed` may be fewer than those that may be."""
        # Before anybody who waits goes on: what is lost may be given again by then.
        try:
            for one in lost:
                self._tell_lost(one)
        finally:  # an interrupted caller must not leave others waiting for these
            failed = len(lost) if failed is None else failed
            self.ledger.settle(delivered=count - failed, failed=failed)

    def count_odd(self, what: str, name: str = "transport_errors") -> None:
        """Count an error that is being handled; the first is logged."""
        self.counters.add(name)
        if not self._is_odd_told:
            self._is_odd_told = True
            log.warning("Assay: %s (%s); it is tried again", what, _where())


def _where() -> str:
    """The error that is being handled and its place: its words may hold a key, or content."""
    kind, _, trace = sys.exc_info()
    if kind is None:
        return "no error"
    frames = traceback.extract_tb(trace)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return kind.__name__ + place
