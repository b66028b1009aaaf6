"""How many events were given, and how many of them are settled."""

import threading
import time
from collections.abc import Callable, Sized

from assay_sdk.outcome import FlushResult


class Ledger:
    """Counts for `flush`: everything given is delivered, failed for good, or still waiting."""

    def __init__(self, buffer: Sized) -> None:
        """Of a buffer that events are appended to without a word here: that takes no lock."""
        # Whoever is interrupted here, by a signal or a collection, may come here again.
        self.lock = threading.RLock()
        self._changed = threading.Condition(self.lock)
        self._buffer = buffer
        self.taken = 0
        """Events out of the buffer; whoever takes one counts it, under the lock."""
        self._delivered = self._failed = 0
        self._told = (0, 0)

    def find(self, count: int) -> None:
        """Events are there to be sent that never were in the buffer."""
        with self.lock:
            self.taken += count

    def settle(self, *, delivered: int = 0, failed: int = 0) -> None:
        """Nothing more will be done about these."""
        with self._changed:
            self._delivered += delivered
            self._failed += failed
            self._changed.notify_all()

    def wait(self, until: float) -> int:
        """Wait, by the monotonic clock, for all that is given now; answers how much that is."""
        with self._changed:
            wanted = self.taken + len(self._buffer)
            while self._delivered + self._failed < wanted:
                left = until - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(min(left, 0.1))
            return wanted

    def tell(self, wanted: int, kept: Callable[[], int]) -> FlushResult:
        """What became of the first `wanted` events, beyond what was told before."""
        with self._changed:
            delivered, failed = self._delivered - self._told[0], self._failed - self._told[1]
            self._told = (self._delivered, self._failed)
            pending = max(0, wanted - self._delivered - self._failed)
            return FlushResult(delivered, failed, pending, min(pending, kept()))
