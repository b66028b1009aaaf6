"""What is stored of agents and versions, slot by slot, as rules need it.

SQL text as in `shared.measures.stored`; whoever runs it reads each row by `stored_of`.
"""

from typing import Any, NamedTuple

from shared.measures.cells import MINUTE, Cell, Series
from shared.measures.stored import SERIES, cell_of, series_of, slot_of

VERSION_SLOT_S = 600
AGENT_KEYS = {"name": "agent_id", **SERIES, "start": slot_of(MINUTE)}
# What a fast clock dates ahead belongs to when it came: of a version only few slots are kept.
VERSION_KEYS = {
    "name": "model_version",
    **SERIES,
    "start": slot_of(VERSION_SLOT_S, "least(occurred_at, ingested_at)"),
}
MOST_NAMES = 100


def versions_of(where: str) -> str:
    """A condition for operations that name a version, of each model's the most frequent ones.

    Somebody may call each of his calls a version.
    """
    return f"""
        {where} AND (model_id, model_version) IN (
            SELECT model_id, model_version FROM (
                SELECT model_id, model_version, row_number() OVER (
                           PARTITION BY model_id ORDER BY count(*) DESC, model_version) AS place
                  FROM ai_model_operations WHERE {where} AND model_version <> ''
                 GROUP BY model_id, model_version) AS counted
             WHERE place <= {MOST_NAMES})
    """


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
