"""Whether ingest has stored what we have counted some seconds ago."""

from collections.abc import Callable, Mapping

PATIENCE_S = 5.0


class Behind:
    """Asks now and then; remembers where we stood before."""

    def __init__(
        self, positions: Callable[[], Mapping[int, int]], monotonic: Callable[[], float]
    ) -> None:
        self._positions = positions
        self._monotonic = monotonic
        self._before: Mapping[int, int] = {}
        self._now: Mapping[int, int] = {}
        self._looked_at = 0.0

    def __call__(self, stored: Mapping[int, int]) -> bool:
        """Whether `stored` (next offsets by partition) lacks what we had counted seconds ago."""
        if self._monotonic() - self._looked_at >= PATIENCE_S:
            self._before, self._now = self._now, dict(self._positions())
            self._looked_at = self._monotonic()
        return any(stored.get(place, 0) < at for place, at in self._before.items())
