"""The difference of two arms' percentiles from grouped sketches; for a planned end only.

A user's operations are alike, so that ranks of operations know less than they seem to: ignoring
users rejects 15 % of A/A tests. The share of operations below the percentile is taken as a ratio
over groups of users, and its interval carried through the sketch.

Sources: Woodruff 1952; Deng, Knoblich, Lu 2018; interpolation inside the bins of the sketch is
ours (bins are 2 % wide: jackknifed bin values do not move, and the error collapses).
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from shared.experiments import cells
from shared.experiments.answers import NO_OPERATIONS, Undefined
from shared.experiments.cells import Cell
from shared.experiments.estimators import Arm, Difference
from shared.experiments.fixed import student
from shared.measures.sketch import LN_GAMMA, ZERO_KEY

GROUPS = 20
CONFIDENCE_TAIL = 0.975

Sketch = Mapping[int, int]
"""Bin -> count of operations, see `shared.measures.sketch`."""

TOO_FEW = "too few operations: the percentile's error reaches beyond the sample"
AT_ZERO = "the percentile is 0: no logarithm"


class Percentile(NamedTuple):
    """ln Q of an arm, its standard error, and the groups it rests on."""

    ln: float
    se: float
    groups: int
    operations: int


def interpolated(counts: Sketch, at: float) -> float | Undefined:
    """ln Q = (key - 1 + f) ln gamma, f the share of the bin's count needed to reach `at`."""
    found = _bin(counts, at)
    if isinstance(found, Undefined):
        return found
    key, share = found
    return Undefined(AT_ZERO) if key == ZERO_KEY else (key - 1 + share) * LN_GAMMA


def percentile(groups: Sequence[Sketch], at: float) -> Percentile | Undefined:
    """ln Q(at) of one arm's groups of users, SE = (ln Q(at + t s) - ln Q(at - t s)) / (2 t).

    s is the error of the share of operations up to Q's bin, by groups. Where at +- t s leaves the
    sample, the sample cannot bound Q: cut off there, the error is too small, and 27 % of A/A tests
    of p95 with 25 operations an arm are rejected (12 % with 40).
    """
    whole: Counter[int] = Counter()
    for group in groups:
        whole.update(group)
    found = _bin(whole, at)
    if isinstance(found, Undefined):
        return found
    below = cells.ratio(
        Cell(sum(n for key, n in group.items() if key <= found[0]), sum(group.values()))
        for group in groups
    )
    if isinstance(below, Undefined):
        return below
    reach = student(CONFIDENCE_TAIL, below.counted - 1)
    step = reach * math.sqrt(below.squared_error)
    if at - step <= 0 or at + step >= 1:
        return Undefined(TOO_FEW)
    low, middle, high = (interpolated(whole, at + side) for side in (-step, 0.0, step))
    if isinstance(low, Undefined) or isinstance(middle, Undefined) or isinstance(high, Undefined):
        return Undefined(AT_ZERO)
    return Percentile(middle, (high - low) / (2 * reach), below.counted, sum(whole.values()))


def difference(
    a: Sequence[Sketch], b: Sequence[Sketch], at: float = 0.95
) -> Difference | Undefined:
    """ln Q_b - ln Q_a, for `fixed.compare` with G_a + G_b - 2 degrees of freedom.

    `relative.as_ratio` shows it as a ratio of percentiles. `units` are the groups of both arms.
    """
    of_a, of_b = percentile(a, at), percentile(b, at)
    if isinstance(of_a, Undefined):
        return Undefined(f"control: {of_a.reason}")
    if isinstance(of_b, Undefined):
        return Undefined(f"treatment: {of_b.reason}")
    return cells.difference(_arm(of_a), _arm(of_b))


def _arm(found: Percentile) -> Arm:
    variance = found.se**2 * found.groups
    return Arm(found.groups, found.ln, variance, found.groups, found.operations)


def _bin(counts: Sketch, at: float) -> tuple[int, float] | Undefined:
    """The bin that holds a quantile, and the share of its count that lies below."""
    total = sum(counts.values())
    if total == 0:
        return Undefined(NO_OPERATIONS)
    needed, seen = at * total, 0
    keys = sorted(key for key, count in counts.items() if count)
    for key in keys:
        if seen + counts[key] >= needed:
            return key, (needed - seen) / counts[key]
        seen += counts[key]
    return keys[-1], 1.0
