"""Between which borders stored rows are summed.

They lie at whole minutes, as the rollups do: the answers by agent add up to the one for all.
"""

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from shared.health.measures import SOON
from shared.keys import WINDOWS
from shared.measures.cells import MINUTE, Cell, merged

MOST_S = 86_400
"""How much time a question may span that is answered from rows."""


def judged_windows(window: str) -> list[str]:
    """The asked window and those that a status looks back over, the widest first."""
    return sorted({window, *SOON}, key=WINDOWS.__getitem__, reverse=True)


def by_window(windows: Sequence[str], slices: Sequence[Cell]) -> dict[str, Cell]:
    """Cells of windows that end together, from what happened between their beginnings."""
    return {name: merged(slices[place:]) for place, name in enumerate(windows)}


def step_borders(span: tuple[datetime, datetime], step_s: int) -> list[datetime]:
    """Where the steps of a series begin, and the last one's end; a minute counts that begins in
    the span.
    """
    start, end = (int(ceil_minute(at).timestamp()) for at in span)
    if start >= end:
        return []
    inner = range(start - start % step_s + step_s, end, step_s)
    return [datetime.fromtimestamp(second, UTC) for second in (start, *inner, end)]


def ceil_minute(at: datetime) -> datetime:
    """The whole minute at or after an instant."""
    return datetime.fromtimestamp(math.ceil(at.timestamp() / MINUTE) * MINUTE, UTC)


def step_start(border: datetime, step_s: int) -> datetime:
    """What a step is called by; the span may cut the first."""
    second = int(border.timestamp())
    return datetime.fromtimestamp(second - second % step_s, UTC)
