"""Small drawings: points of a line within a box."""

from collections.abc import Sequence
from typing import Final, NamedTuple

WIDTH, HEIGHT, EDGE = 120, 28, 2
NOTHING_YET: Final = "no operations in the last hour"
NOT_KNOWN: Final = "not known right now"


class Sparkline(NamedTuple):
    """A line, and the same in words; no points where there is nothing to draw."""

    points: str
    words: str


def sparkline(counts: Sequence[int] | None) -> Sparkline:
    """Counts of equal steps, from the oldest to the newest; the box is as high as the largest.

    The last one is under way: it is told and not drawn, for it would look like a fall.
    """
    if counts is None:
        return Sparkline("", NOT_KNOWN)
    whole, coming = counts[:-1], sum(counts[-1:])
    most = max(whole, default=0)
    if most == 0:
        return Sparkline(
            "", f"{coming:,} in the last minutes, none before" if coming else NOTHING_YET
        )
    inner, across = HEIGHT - 2 * EDGE, WIDTH - 2 * EDGE
    step = across / max(1, len(whole) - 1)
    points = " ".join(
        f"{EDGE + place * step:.1f},{EDGE + inner * (1 - value / most):.1f}"
        for place, value in enumerate(whole)
    )
    told = ", ".join(map(str, whole))
    return Sparkline(
        points, f"operations in steps of 5 minutes: {told}; {coming} in the one under way"
    )
