"""Sums over the units of one arm and one metric: they merge by addition and forget no precision.

A unit holds totals (m, d): numerator and operations; d = 1 where the metric is one number a unit.
It may hold a covariate from before its exposure: x, for a ratio x over y, and h = 1 where there was
any such data (else x = y = 0). Python's integers and Fractions stay exact, floats are as good as
floats; numpy's integers overflow and must not come in.

Sums of disjoint units add over shards. They do not add over windows of time: a unit that returns
would be two. Source: Assay's statistics, section 1; squares by (m+e)^2 - m^2 = 2me + e^2.
"""

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

Number = int | Fraction | float


class Unit(NamedTuple):
    """Totals of one unit."""

    m: Number = 0
    d: Number = 0
    x: Number = 0
    y: Number = 0
    h: int = 0


class Moments(NamedTuple):
    """Sums over units: `n` counts them, two letters are the sum of a product."""

    n: int = 0
    m: Number = 0
    mm: Number = 0
    d: Number = 0
    dd: Number = 0
    md: Number = 0
    x: Number = 0
    xx: Number = 0
    mx: Number = 0
    y: Number = 0
    yy: Number = 0
    xy: Number = 0
    my: Number = 0
    dx: Number = 0
    dy: Number = 0
    h: int = 0
    mh: Number = 0
    dh: Number = 0


EMPTY = Moments()


def of_unit(unit: Unit) -> Moments:
    """What one unit adds to its arm."""
    m, d, x, y, h = unit
    pre = (x, x * x, m * x, y, y * y, x * y, m * y, d * x, d * y)
    return Moments(1, m, m * m, d, d * d, m * d, *pre, h, m * h, d * h)


def merged(one: Moments, other: Moments) -> Moments:
    """Sums of two sets of units that have none in common."""
    return Moments(*[a + b for a, b in zip(one, other, strict=True)])  # type: ignore[arg-type]


def of_units(units: Iterable[Unit]) -> Moments:
    """Sums over units, in one pass."""
    total = EMPTY
    for unit in units:
        total = merged(total, of_unit(unit))
    return total


def joined(arm: Moments, unit: Unit) -> Moments:
    """The arm with a unit that it has not seen before, its covariate included."""
    return merged(arm, of_unit(unit))


def event(arm: Moments, unit: Unit, e: Number, f: Number) -> tuple[Moments, Unit]:
    """Add (e, f) to a unit's (m, d), and to its arm what that changes; the unit has joined."""
    m, d, x, y, h = unit
    after = arm._replace(
        m=arm.m + e,
        mm=arm.mm + 2 * m * e + e * e,
        d=arm.d + f,
        dd=arm.dd + 2 * d * f + f * f,
        md=arm.md + m * f + d * e + e * f,
        mx=arm.mx + e * x,
        my=arm.my + e * y,
        dx=arm.dx + f * x,
        dy=arm.dy + f * y,
        mh=arm.mh + e * h,
        dh=arm.dh + f * h,
    )
    return after, unit._replace(m=m + e, d=d + f)


def folded(events: Iterable[tuple[str, Number, Number]]) -> dict[str, tuple[Number, Number]]:
    """A batch of (unit, e, f) as one (e, f) a unit: one update of a row instead of many."""
    totals: dict[str, tuple[Number, Number]] = {}
    for unit, e, f in events:
        m, d = totals.get(unit, (0, 0))
        totals[unit] = m + e, d + f
    return totals
