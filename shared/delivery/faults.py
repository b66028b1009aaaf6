"""Named crash points: `ASSAY_FAULT_POINT=<name>:<n>` kills the process at the n-th arrival.

The kill is SIGKILL, so nothing is flushed, rolled back or said: what a power cut would leave.
"""

import os
import signal
from typing import Final

VARIABLE: Final = "ASSAY_FAULT_POINT"
POINTS: Final = (
    "postgres.before_begin",  # P1
    "postgres.in_transaction",  # P2
    "postgres.after_commit",  # P3, P4: committed, nobody told
    "redis.before_apply",  # R1
    "redis.after_apply",  # R2
)


class FaultPoint:
    """Counts arrivals at one named point."""

    def __init__(self, setting: str | None) -> None:
        name, _, count = (setting or "").partition(":")
        if name and name not in POINTS:
            raise ValueError(f"{VARIABLE} names {name!r}; known are {', '.join(POINTS)}")
        self._name = name
        self._left = int(count or 1)

    def reach(self, name: str) -> None:
        """Die here if this is the point and the time."""
        if name != self._name:
            return
        self._left -= 1
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


FAULTS = FaultPoint(os.environ.get(VARIABLE))
