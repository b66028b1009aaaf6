"""Named crash points: `ASSAY_FAULT_POINT=<name>:<n>` kills the process at the n-th arrival.

The kill is SIGKILL, so nothing is flushed, rolled back or said: what a power cut would leave.
`<name>:<n>:stop` stops it instead (SIGSTOP): woken later, it is a zombie in the middle of a write.
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
    "redis.before_activate",  # R6: a rebuilt generation is written and not in use
)
ALERT_POINTS: Final = (
    "alerts.before_change",
    "alerts.after_change",  # the step is kept, and not yet told
    "notify.before_send",  # marked as being sent, and not sent
    "notify.after_send",  # sent, and nobody knows
)
STATUS_POINTS: Final = (
    "statuses.before_change",
    "statuses.after_change",  # the change is kept, and not yet in the history
)
VERDICT_POINTS: Final = (
    "verdicts.before_commit",  # computed and written, and nothing of it holds
    "verdicts.after_commit",
)
PAST_POINTS: Final = ("past.in_transaction",)  # a slice is read and written, and not committed
FEEDBACK_POINTS: Final = (
    "feedback.made",  # rows are made and written, and not committed
    "feedback.followed",  # news of ingest is noted, and not committed
    "feedback.told",  # the broker has the changes, and they are not marked
    "feedback.frozen",  # a dataset's rows are copied, and not committed
)
ERASURE_POINTS: Final = (
    "erasure.begun",  # seen, and not committed
    "erasure.portion",  # a portion is erased, and not committed
    "erasure.noted",  # what follows from it is erased, and not committed
    "erasure.receipt",  # all is done, and the receipt not committed
)
EXPORT_POINTS: Final = (
    "subject-export.portion",  # a portion is read and written, and not committed
    "subject-export.stored",
)
KNOWN: Final = (
    *(POINTS + ALERT_POINTS + STATUS_POINTS + VERDICT_POINTS + PAST_POINTS),
    *(FEEDBACK_POINTS + ERASURE_POINTS + EXPORT_POINTS),
)


class FaultPoint:
    """Counts arrivals at one named point."""

    def __init__(self, setting: str | None) -> None:
        name, count, how = [*(setting or "").split(":"), "", ""][:3]
        if name and name not in KNOWN:
            raise ValueError(f"{VARIABLE} names {name!r}; known are {', '.join(KNOWN)}")
        self._name = name
        if how not in ("", "stop"):
            raise ValueError(f"{VARIABLE} ends in {how!r}; it may end in 'stop' or not at all")
        self._left = int(count or 1)
        self._signal = signal.SIGSTOP if how else signal.SIGKILL

    def reach(self, name: str) -> None:
        """Die, or stop, here if this is the point and the time."""
        if name != self._name or self._left <= 0:
            return
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), self._signal)


FAULTS = FaultPoint(os.environ.get(VARIABLE))
