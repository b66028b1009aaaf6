"""Which units were told of already: one exposure a unit and variant is enough."""

import threading
from collections import OrderedDict

MOST_REMEMBERED = 100_000

Shown = tuple[str, str, str]
"""Test, unit, variant."""


class Told:
    """The last ones; what is forgotten is told of once more, which changes nothing."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._shown: OrderedDict[Shown, None] = OrderedDict()

    def is_new(self, shown: Shown) -> bool:
        """Whether it was not told of; from now on it was."""
        with self._lock:
            if shown in self._shown:
                self._shown.move_to_end(shown)
                return False
            self._shown[shown] = None
            if len(self._shown) > self._most:
                self._shown.popitem(last=False)
            return True
