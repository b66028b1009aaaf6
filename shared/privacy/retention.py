"""Classes of data that are kept for a time, and what may be said of it."""

from datetime import timedelta
from typing import NamedTuple

DAY_S = 86_400
GRACE = timedelta(days=3)
"""What goes one by one goes at the latest so long after its time is over."""


class DataClass(NamedTuple):
    """How long it is kept if nobody says so, and at least."""

    default_days: int
    least_days: int


CLASSES = {
    # Records are read again, and feedback waits for its operation, for a week.
    "operations": DataClass(90, 14),
    "feedback": DataClass(90, 14),
    "dead_letters": DataClass(30, 1),
    "minutes": DataClass(400, 100),  # series and forecasts look back 90 days
}
"""As `retention_default` of the database has them; a test holds both together."""
