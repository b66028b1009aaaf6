"""metrics' part of an erasure: its cells and views name nobody, so it only says so."""

from datetime import timedelta

from services.metrics.queries.snapshot import WAITS_AT_MOST
from shared.clock import Clock
from shared.delivery.postgres import Session
from shared.privacy.eraser import Did
from shared.privacy.tasks import Task


class NothingOfAnybody:
    """Numbers in Redis; only feedback that waits holds the id of an operation, for seven days."""

    def __init__(self, now: Clock, waits: timedelta = WAITS_AT_MOST) -> None:
        self._now = now
        self._waits = waits

    async def erase(self, connection: Session, task: Task) -> Did:
        """There is nothing to remove."""
        del connection, task
        return Did(removed=0, until=self._now() + self._waits)
