"""What became of events: counted, so that nothing disappears unseen."""

import threading
from collections import Counter
from typing import NamedTuple


class FlushResult(NamedTuple):
    """An honest answer: what was delivered, what failed for good, what is still waiting."""

    delivered: int
    failed: int
    pending: int

    @property
    def complete(self) -> bool:
        """Whether everything given so far has been delivered."""
        return self.failed == 0 and self.pending == 0


class Counters:
    """Events by what became of them: `sent`, or `dropped:<reason>`; also
    `unfit_units` and `transport_errors`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def add(self, name: str, count: int = 1) -> None:
        """Count events."""
        with self._lock:
            self._counts[name] += count

    def read(self) -> dict[str, int]:
        """All counts so far."""
        with self._lock:
            return dict(self._counts)

    @property
    def sent(self) -> int:
        """Events that the broker or the gateway has taken."""
        return self._counts["sent"]

    @property
    def dropped(self) -> int:
        """Events that were lost here, for whatever reason."""
        with self._lock:
            return sum(n for name, n in self._counts.items() if name.startswith("dropped:"))
