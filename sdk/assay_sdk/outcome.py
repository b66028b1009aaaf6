"""What became of events: counted, so that nothing disappears unseen."""

import threading
from collections import Counter
from typing import NamedTuple, Self


class _Told(NamedTuple):
    delivered: int
    failed: int
    pending: int


class FlushResult(_Told):
    """An honest answer: what was delivered, what failed for good, what is still waiting.

    Of what is waiting, `kept` is on disk, where the next start finds it.
    """

    kept: int

    def __new__(cls, delivered: int, failed: int, pending: int, kept: int = 0) -> Self:
        """Three numbers as ever; `kept` is beside them."""
        told = super().__new__(cls, delivered, failed, pending)
        told.kept = kept
        return told

    def __repr__(self) -> str:
        return f"FlushResult({self.delivered}, {self.failed}, {self.pending}, kept={self.kept})"

    @property
    def complete(self) -> bool:
        """Whether everything given so far has been delivered."""
        return self.failed == 0 and self.pending == 0


class Counters:
    """Events by what became of them in this process: `sent`, or `dropped:<reason>`; also
    what else went wrong: `unfit_units`, `unread_answers`, `transport_errors`, `disk_errors`.
    """

    def __init__(self) -> None:
        # Whoever is interrupted here, by a signal or a collection, may come here again.
        self._lock = threading.RLock()
        self._counts: Counter[str] = Counter()

    def add(self, name: str, count: int = 1) -> None:
        """Count events."""
        with self._lock:
            self._counts[name] += count

    def read(self) -> dict[str, int]:
        """All counts so far."""
        with self._lock:
            return dict(self._counts)

    def begin_anew(self) -> None:
        """In a child process: what its parent counted is the parent's."""
        self._lock = threading.RLock()
        self._counts = Counter()

    @property
    def sent(self) -> int:
        """Events that the broker or the gateway has taken."""
        return self._counts["sent"]

    @property
    def dropped(self) -> int:
        """Events that were lost here, for whatever reason."""
        with self._lock:
            return sum(n for name, n in self._counts.items() if name.startswith("dropped:"))
