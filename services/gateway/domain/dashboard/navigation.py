"""The dashboard's pages, and which of them somebody may open."""

from collections.abc import Collection
from typing import Final, NamedTuple


class Entry(NamedTuple):
    """One entry of the navigation."""

    path: str
    title: str
    permission: str


ENTRIES: Final = (
    Entry("/fleet", "Models", "metrics:read"),
    Entry("/alerts", "Alerts", "alerts:read"),
    Entry("/rules", "Rules", "alerts:read"),
    Entry("/experiments", "Experiments", "experiments:read"),
    Entry("/feedback", "Feedback", "feedback:read"),
    Entry("/reviews", "Reviews", "feedback:read"),
    Entry("/training", "Training data", "training:read"),
    Entry("/live", "Live", "operations:read"),
    Entry("/system", "System", "system:read"),
    Entry("/audit", "Audit", "audit:read"),
)


def allowed(permissions: Collection[str]) -> list[Entry]:
    """Entries of pages that these permissions open."""
    return [entry for entry in ENTRIES if entry.permission in permissions]


def first_page(permissions: Collection[str]) -> str | None:
    """Where somebody begins; `None` for keys that read nothing, as those of agents."""
    return next((entry.path for entry in allowed(permissions)), None)
