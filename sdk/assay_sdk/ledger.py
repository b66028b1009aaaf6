"""How many events were given, and how many of them are settled."""

import threading
import time
from collections.abc import Callable

from assay_sdk.outcome import FlushResult


class Ledger:
    """Counts for `flush`: everything given is delivered, failed for good, or still waiting."""

    def __init__(self) -> None:
        # A signal's handler or a collection may give an event amid another: hence no plain lock.
        self.lock = threading.RLock()
        self._changed = threading.Condition(self.lock)
        self.given = 0
        """Events that are there to be sent; whoever counts one holds the lock."""
        self._delivered = self._failed = 0
        self._told = (0, 0)

    def give(self, count: int) -> None:
        """Events are there to be sent."""
        with self.lock:
            self.given += count

    def settle(self, *, delivered: int = 0, failed: int = 0) -> None:
        """Nothing more will be done about these."""
        with self._changed:
            self._delivered += delivered
            self._failed += failed
            self._changed.notify_all()

    def wait(self, until: float) -> int:
        """Wait, by the monotonic clock, for all that is given now; answers how much that is."""
        with self._changed:
            wanted = self.given
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
