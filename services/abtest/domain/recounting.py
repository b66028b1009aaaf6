"""A test's sums from all its events, beside those that are stored."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from services.abtest.domain.folding import ArmChange, Changes, Pasts, Rows, fold, places_of
from services.abtest.domain.live import LiveTest
from services.abtest.domain.rows import UnitKey
from services.abtest.domain.units import BLANK, UnitState


class Recounted(NamedTuple):
    """What a recount found."""

    tenant_id: str
    key: str
    units: int
    units_differing: int
    arms_differing: int

    @property
    def differs(self) -> bool:
        """Whether anything was not as its events say."""
        return bool(self.units_differing or self.arms_differing)


def counted(rows: Rows, test: LiveTest, pasts: Pasts) -> Changes:
    """Units from all their rows, and what they add to their arms."""
    nothing = dict.fromkeys(rows, BLANK)
    tests = {test.tenant_id: {test.test_id: test}}
    return fold(nothing, places_of(nothing, rows, tests, pasts), rows, {}, tests)


def differing(
    found: Mapping[UnitKey, UnitState], stored: Mapping[UnitKey, UnitState]
) -> list[UnitKey]:
    """Units that are not stored as their rows say."""
    return [key for key, state in found.items() if stored.get(key) != state]


def add(total: Changes, more: Changes, sign: int = 1) -> None:
    """Add the sums of some units, or of what is stored, to others; their units stay as they are."""
    for name, arm in more.arms.items():
        _add(total.arms[name], arm, sign)
    for day, count in more.days.items():
        total.days[day] += sign * count


def different(total: Changes) -> Changes:
    """Of expected sums less stored ones, arms and days that are not zero."""
    arms = {name: arm for name, arm in total.arms.items() if _is_any(arm)}
    days = Counter({day: count for day, count in total.days.items() if count})
    return Changes({}, arms, days)


def _add(total: ArmChange, arm: ArmChange, sign: int) -> None:
    total.units += sign * arm.units
    total.multiple += sign * arm.multiple
    total.operations += sign * arm.operations
    total.crossovers += sign * arm.crossovers
    times = [at for at in (total.first_at, total.last_at, arm.first_at, arm.last_at) if at]
    total.first_at, total.last_at = min(times, default=None), max(times, default=None)
    for metric, sums in arm.sums.items():
        total.sums[metric] = _summed(total.sums.get(metric), sums, sign)
    for place, count in enumerate(arm.ratings):
        total.ratings[place] += sign * count
    for group, bins in arm.bins.items():
        for place, count in bins.items():
            total.bins[group][place] += sign * count


def _summed(total: Sequence[int] | None, sums: Sequence[int], sign: int) -> list[int]:
    return [one + sign * more for one, more in zip(total or [0] * len(sums), sums, strict=True)]


def _is_any(arm: ArmChange) -> bool:
    return (
        any((arm.units, arm.multiple, arm.operations, arm.crossovers, *arm.ratings))
        or any(any(sums) for sums in arm.sums.values())
        or any(count for bins in arm.bins.values() for count in bins.values())
    )
