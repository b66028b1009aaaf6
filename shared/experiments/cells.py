"""Cells: units thrown into groups by a hash. Unlike sums over units they add over windows of time.

A fallback and a cross-check of the unit sums, and the groups of `quantiles`.
Source: Assay's statistics, section 1 (linearised ratio over groups).
"""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from shared.experiments.answers import NO_OPERATIONS, Undefined
from shared.experiments.estimators import Arm, Difference

ONE_CELL = "fewer than two cells hold anything"


class Cell(NamedTuple):
    """Sums of m and d over a group of units, over any span of time."""

    m: int = 0
    d: int = 0


def added(one: Sequence[Cell], other: Sequence[Cell]) -> list[Cell]:
    """Two shards or windows of the same cells, place by place."""
    return [Cell(a.m + b.m, a.d + b.d) for a, b in zip(one, other, strict=True)]


def ratio(cells: Iterable[Cell]) -> Arm | Undefined:
    """R over all, with SE^2 = G/(G-1) sum (m_c - R d_c)^2 / (sum d)^2 over G non-empty cells.

    In the answer `units` and `counted` are G: its degrees of freedom are G - 1 an arm. For counts
    of operations: a cell is empty when it holds none.
    """
    filled = [cell for cell in cells if cell.d]
    groups = len(filled)
    m, d = sum(cell.m for cell in filled), sum(cell.d for cell in filled)
    if d == 0:
        return Undefined(NO_OPERATIONS)
    if groups < 2:
        return Undefined(ONE_CELL)
    # Times d, so that integers stay integers and equal cells have a variance of exactly 0.
    spread = sum((cell.m * d - m * cell.d) ** 2 for cell in filled)
    squared_error = spread * groups / (d**4 * (groups - 1))
    return Arm(groups, m / d, squared_error * groups, groups, d)


def difference(a: Arm, b: Arm) -> Difference:
    """b minus a of two arms' cells, with G_a + G_b - 2 degrees of freedom."""
    se = math.sqrt(a.squared_error + b.squared_error)
    return Difference(b.value - a.value, se, a.counted + b.counted - 2 if se else 0.0, a, b)
