"""Is the split to be believed? Shares of units, units in two variants, units without an outcome.

Epochs grow side by side: a unit that was never seen belongs to the first epoch that reached its
bucket, whatever runs now. So each is tested by its own weights, and their evidence multiplied.
"""

from collections.abc import Iterator
from typing import NamedTuple

from services.abtest.domain import phases
from services.abtest.domain.memory import MOST_EVIDENCE, Doubled, Memory, Missing
from services.abtest.domain.state import ArmKey, ArmState, TestState
from shared.experiments import estimators, fixed, srm
from shared.experiments.answers import Undefined
from shared.experiments.assignment import Epoch
from shared.experiments.estimators import Estimated
from shared.experiments.moments import Moments

MOST_MULTIPLE = 0.01
MISSING_DIFFERS = 0.0005
FIRST_TESTED = 50


class Split(NamedTuple):
    """How units came to the variants."""

    p: float
    one_look_p: float
    expected: dict[str, float]
    observed: dict[str, int]
    is_broken: bool
    was_earlier: bool
    """Whether it is broken by an earlier look only."""
    is_suspect: bool
    misplaced: dict[str, int]
    """Units in a variant that had no weight in their epoch."""
    multiple: int
    multiple_share: float
    missing: Missing | None

    @property
    def has_many_multiple(self) -> bool:
        """Too many to leave them out and go on."""
        return self.multiple_share >= MOST_MULTIPLE


class _Counted(NamedTuple):
    """Units of one epoch, and the weights that they are held against."""

    units: list[int]
    weights: list[float]
    variants: list[str]


def split(state: TestState, memory: Memory) -> tuple[Split, Memory]:
    """One more look at the split."""
    counted, misplaced, observed = list(_counted(state)), _misplaced(state), _observed(state)
    evidence = sum(srm.ln_bayes_factor(one.units, one.weights) for one in counted)
    peak = min(MOST_EVIDENCE, max(memory.split_peak, evidence))
    one_look, seen = _one_look(counted), state.multiple + sum(observed.values())
    doubled = _doubled(state, memory, seen, one_look)
    # Units where nobody may be are no matter of chance: broken while they are there.
    p = 0.0 if misplaced else srm.Phases(peak=peak).p
    found = srm.verdict(p, 0.0 if doubled.is_unfair else max(one_look, srm.BROKEN_FIXED))
    return Split(
        p=p,
        one_look_p=0.0 if misplaced else one_look,
        expected=_expected(counted, observed),
        observed=observed,
        is_broken=found is srm.Split.BROKEN,
        was_earlier=one_look >= srm.WARN_FIXED and srm.Phases(peak=evidence).p >= srm.WARN_FIXED,
        is_suspect=found is srm.Split.SUSPECT,
        misplaced=misplaced,
        multiple=state.multiple,
        multiple_share=state.multiple / seen if seen else 0.0,
        missing=doubled.missing,
    ), memory.model_copy(update={"split_peak": peak, "doubled": doubled})


def _doubled(state: TestState, memory: Memory, units: int, one_look: float) -> Doubled:
    """What tests of one look say; made anew each time that the units have doubled.

    Made at every look they would err in 2 % of tests each. From 50 units to a million they are made
    15 times, at 0.0005.
    """
    if units < max(FIRST_TESTED, 2 * memory.doubled.units):
        return memory.doubled
    return Doubled(units, one_look < srm.BROKEN_FIXED, _missing(state))


def _counted(state: TestState) -> Iterator[_Counted]:
    """Every epoch by its weights, without variants that a later epoch took out.

    Their units move on to later epochs, so an old epoch goes on without them: among those that stay
    the shares are as promised, in proportion.
    """
    for at, epoch in enumerate(state.epochs):
        gone = {
            one.variant for later in state.epochs[at:] for one in later.weights if not one.weight
        }
        kept = {one.variant: one.weight for one in epoch.weights if one.variant not in gone}
        total = sum(kept.values())
        units = [_units(state, epoch, variant) for variant in kept]
        if sum(units) and total:
            yield _Counted(units, [weight / total for weight in kept.values()], list(kept))


def _misplaced(state: TestState) -> dict[str, int]:
    found: dict[str, int] = {}
    for epoch in state.epochs:
        for one in epoch.weights:
            units = 0 if one.weight else _units(state, epoch, one.variant)
            if units:
                found[one.variant] = found.get(one.variant, 0) + units
    return found


def _one_look(counted: list[_Counted]) -> float:
    """The smallest of the epochs', times their number (Bonferroni)."""
    smallest = min((srm.one_look(one.units, one.weights) for one in counted), default=1.0)
    return min(1.0, smallest * max(1, len(counted)))


def _observed(state: TestState) -> dict[str, int]:
    found = dict.fromkeys(state.config.weights, 0)
    for key, arm in state.arms.items():
        found[key.variant] = found.get(key.variant, 0) + arm.units
    return found


def _expected(counted: list[_Counted], observed: dict[str, int]) -> dict[str, float]:
    """Units by weight; those that are held against no weight are expected as they are."""
    expected = {variant: float(units) for variant, units in observed.items()}
    for one in counted:
        total = sum(one.units)
        for variant, units, weight in zip(one.variants, one.units, one.weights, strict=True):
            expected[variant] += total * weight - units
    return expected


def _units(state: TestState, epoch: Epoch, variant: str) -> int:
    arm = state.arms.get(ArmKey(epoch.number, variant))
    return 0 if arm is None else arm.units


def _missing(state: TestState) -> Missing | None:
    """Does one variant lose more units than the control before they have an outcome?"""
    control = state.config.control.key
    metric = next(one.name for one in state.config.metrics if one.role == "primary")
    treatments = [key for key in state.config.weights if key != control]

    def present(arm: ArmState) -> Estimated:
        have = min(arm.units, phases.sums(arm, metric).n)
        n = arm.units
        return estimators.binary(Moments(n, m=have, mm=have, d=n, dd=n, md=have))

    for variant in treatments:
        found = phases.between(state, control, variant, present)
        if isinstance(found, Undefined):
            continue
        if fixed.compare(found).p < MISSING_DIFFERS / len(treatments):
            shares = 1 - found.b.value, 1 - found.a.value
            return Missing(metric, variant, control, *shares)
    return None
