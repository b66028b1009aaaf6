"""Cells: what one minute of one series amounts to, as named integers that only ever add up.

Both sinks hold the same names, Redis as hash fields and Postgres as columns and a map, so that
they can be compared to the last unit. A name with a colon is one entry of a distribution:
`d:<bucket>` response times, `e:<error type>`, `k:<bin>:<n|c|o>` confidence calibration.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

MINUTE = 60
HOUR = 3600

SCALARS = (
    "n",  # operations
    "ok",  # of them successful
    "rt_us",  # sum of response times, microseconds
    "ln",  # sum of 1e6 ln(ms)
    "ln2",  # sum of 1e6 ln(ms)^2
    "tin_n",
    "tin",  # input tokens, and how many operations said so
    "tout_n",
    "tout",
    "tcached_n",
    "tcached",
    "treason_n",
    "treason",
    "cost_n",
    "cost_nano",  # 1e-9 US dollars
    "conf_n",
    "conf",  # sum of 1e6 confidence
    "conf2",  # sum of 1e6 confidence^2
    "brier",  # sum of 1e6 (confidence - success)^2
)
ASPECTS = ("helpful", "accurate", "relevant", "fast")
FEEDBACK_SCALARS = (
    "f_n",  # feedback events
    "rating_n",
    "rating",
    "rating2",
    *(name for aspect in ASPECTS for name in (f"{aspect}_n", aspect)),
)


class Series(NamedTuple):
    """What a cell is about; an empty text means: not said."""

    model_id: str
    environment: str
    operation_type: str
    variant: str


class CellKey(NamedTuple):
    """A tenant's series in the minute (or hour) that starts at `start` (seconds since 1970)."""

    tenant_id: str
    start: int
    series: Series


Cell = dict[str, int]
Cells = dict[CellKey, Cell]


def add_into(total: Cell, more: Mapping[str, int], sign: int = 1) -> None:
    """Add one cell to another in place; entries that reach zero are dropped."""
    for name, value in more.items():
        result = total.get(name, 0) + sign * value
        if result:
            total[name] = result
        else:
            total.pop(name, None)


def merged(cells: Iterable[Mapping[str, int]]) -> Cell:
    """The sum of cells."""
    total: Cell = {}
    for cell in cells:
        add_into(total, cell)
    return total


def by_hour(minutes: Cells) -> Cells:
    """The same cells, summed by hour."""
    hours: Cells = {}
    for key, cell in minutes.items():
        hour = CellKey(key.tenant_id, key.start - key.start % HOUR, key.series)
        total = hours.get(hour)
        if total is None:
            hours[hour] = dict(cell)
        else:
            for name, value in cell.items():
                total[name] = total.get(name, 0) + value
    return hours
