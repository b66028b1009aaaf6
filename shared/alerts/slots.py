"""What is stored of agents and versions, slot by slot, as rules need it.

SQL text as in `shared.measures.stored`; whoever runs it reads each row by `stored_of`.
"""

from typing import Any, NamedTuple

from shared.measures.cells import MINUTE, Cell, Series
from shared.measures.stored import SERIES, cell_of, series_of, slot_of

VERSION_SLOT_S = 600
AGENT_KEYS = {"name": "agent_id", **SERIES, "start": slot_of(MINUTE)}
VERSION_KEYS = {"name": "model_version", **SERIES, "start": slot_of(VERSION_SLOT_S)}
HAS_VERSION = "model_version <> ''"


class Stored(NamedTuple):
    """What was stored of a version (or agent) in the slot that begins at `start` (Unix seconds)."""

    name: str
    series: Series
    start: int
    cell: Cell
    arrived: float
    """When the last of it was stored (Unix seconds)."""


def stored_of(row: Any) -> Stored:
    """A row that has these keys."""
    arrived = row["arrived"].timestamp()
    return Stored(row["name"], series_of(row), row["start"], cell_of(row), arrived)
