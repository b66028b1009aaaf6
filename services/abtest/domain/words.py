"""The recommendation: one or two sentences that a product owner can act on."""

from collections.abc import Callable
from typing import Final

from services.abtest.domain.compared import Compared
from services.abtest.domain.gates import Gate
from services.abtest.domain.guarding import has_no_margin, least_effect
from services.abtest.domain.levels import design
from services.abtest.domain.missing import missing_of, people
from services.abtest.domain.splitting import Split
from services.abtest.domain.state import TestState
from services.abtest.domain.verdict import Decision
from services.abtest.domain.wording import NAMES, allowed, amount, days, effect, harm, listed, money
from services.abtest.domain.wording import share as percent
from shared.events.experiment import Verdict
from shared.experiments import progress
from shared.experiments.answers import Undefined
from shared.experiments.design import Mode
from shared.experiments.lifecycle import ENDED, State

Sentence = Callable[[TestState, Decision, Split, float | None], str]


def recommendation(
    state: TestState, decision: Decision, split: Split, days_left: float | None
) -> str:
    """What to do now, and why."""
    return _SENTENCES[decision.verdict](state, decision, split, days_left)


def _collecting(
    state: TestState, decision: Decision, _split: Split, days_left: float | None
) -> str:
    row = decision.about[0]
    missing = missing_of(state, row.metric.name, decision.unmet)
    if state.state in ENDED:
        return f"Ended too early to tell: {missing}. Keep {row.control}, or make a new test."
    if state.state is State.PAUSED:
        return f"Paused too early to tell: {missing}. Start it again to go on."
    if not state.arms:
        return (
            f"Too early: no {people(state)} yet. Check that agents ask for their variant and "
            "report their operations."
        )
    is_rare = decision.unmet is not None and decision.unmet.gate is Gate.RARER_KIND
    if days_left is None:
        then = "Nothing new arrives: check what is sent"
        if is_rare:
            then = "If that stays so, decide by another metric"
        return f"Too early: {missing}. {then}."
    return f"Too early: {missing}{_in_days(days_left)}."


def _broken(state: TestState, _decision: Decision, split: Split, _days: float | None) -> str:
    units = people(state)
    if split.misplaced:
        said = listed(
            [
                f"{n:,} {units[: -1 if n == 1 else None]} got {key}"
                for key, n in sorted(split.misplaced.items())
            ]
        )
        why = f"{said}, which had no weight"
    elif split.is_broken and split.was_earlier:
        why = f"the shares of {units} were too far from the weights for chance at an earlier look"
    elif split.is_broken:
        why = f"{_shares(split, units)}, too far apart for chance"
    elif split.has_many_multiple:
        why = f"{percent(split.multiple_share)} of {units} ({split.multiple:,}) saw two variants"
    elif split.missing is not None:
        lost = split.missing
        why = (
            f"{percent(lost.of_variant)} of {units} in {lost.variant} but "
            f"{percent(lost.of_control)} in {lost.control} have no value of "
            f"{NAMES[lost.metric]}, too far apart for chance"
        )
    else:
        why = "its data cannot be believed"
    return f"Do not use this: {why}. Fix assignment or logging, then restart as a new test."


def _stop(state: TestState, decision: Decision, _split: Split, _days: float | None) -> str:
    by_variant: dict[str, list[str]] = {}
    for row in decision.about:
        by_variant.setdefault(row.variant, []).append(harm(row))
    names = listed(list(by_variant))
    if len(by_variant) == 1:
        said = listed(by_variant[names])
    else:
        said = "; ".join(f"{key}: {listed(found)}" for key, found in by_variant.items())
    if state.state in ENDED:
        return f"Do not ship {names}: {said}."
    if state.state is State.PAUSED:
        return f"Paused, keep {names} off: {said}."
    return f"Turn {names} off now: {said}."


def _ship(state: TestState, decision: Decision, _split: Split, _days: float | None) -> str:
    row = decision.about[0]
    said = effect(row, than=row.control)
    if row.least_gain <= 0:  # it was sure at an earlier look; intervals are of this one
        said = f"surely better at an earlier look, now {said}"
    tie = ""
    if decision.tied:
        others = listed(decision.tied)
        tie = f" {others} cannot be told from it{_by_cost(decision)}."
    guards = any(metric.role == "guardrail" for metric in state.config.metrics)
    safe = ", and every guardrail holds" if guards else ""
    if decision.waiting:
        held = listed([_guardrail(state, one) for one in decision.waiting])
        safe = f". Every guardrail held then; not surely safe now: {held}"
    return f"Ship {row.variant}: {said}{safe}.{tie}"


def _by_cost(decision: Decision) -> str:
    if not decision.costs:
        return ""
    (first, cheapest), *others = decision.costs
    said = listed([f"{key} {money(cost)}" for key, cost in others])
    return f"; {first} costs less ({money(cheapest)} per operation, {said})"


def _same(state: TestState, decision: Decision, _split: Split, _days: float | None) -> str:
    row = decision.about[0]
    names = listed([one.variant for one in decision.about])
    mde = None if isinstance(row.diff, Undefined) else least_effect(row.metric, row.diff)
    within = "" if mde is None else f" by {amount(row.metric.name, mde)} or more"
    take = f"Keep {row.control}, or take the cheaper."
    if decision.costs:
        (first, cheapest), (_, next_cost) = decision.costs[:2]
        take = (
            f"Take {first}, the cheapest: {money(cheapest)} per operation, next {money(next_cost)}."
        )
    return f"No difference that matters: {names} and {row.control} do not differ{within}. {take}"


def _cannot_tell(state: TestState, decision: Decision, _split: Split, _days: float | None) -> str:
    control = state.config.control.key
    if not decision.about:
        return f"Cannot tell: only {control} gets {people(state)} now. Stop the test."
    row = decision.about[0]
    seen = f"{sum(arm.units for arm in state.arms.values()):,}"
    if row.is_frozen:
        seen = f"the planned {state.config.planned_units:,}"
    said = f"after {seen} {people(state)}, {_effects(decision)}"
    if _is_sure(row):
        said, could = _but(state, decision), ""
    else:
        could = _could_have_seen(state, row)
    end = f"Keep {control}"
    if state.state not in ENDED:
        end += ", or run a new test with more units"
    return f"Cannot tell: {said}.{could} {end}."


def _could_have_seen(state: TestState, row: Compared) -> str:
    if isinstance(row.diff, Undefined) or row.diff.se == 0:
        return ""
    held = design(state.config, row.plan.n_star)
    if row.plan.hybrid and not row.plan.ended:  # of its looks before the end, at half of alpha
        held = held._replace(mode=Mode.ALWAYS_VALID, alpha=held.alpha / 2)
    least = progress.detectable(row.diff.se, row.diff.units, held)
    return f" A difference of {amount(row.metric.name, least)} would most likely have been found."


def _keep(state: TestState, decision: Decision, _split: Split, days_left: float | None) -> str:
    row = decision.about[0]
    missing = missing_of(state, row.metric.name, decision.unmet)
    if decision.unmet is not None and decision.unmet.gate is Gate.DOMINATED:
        return (
            f"Cannot decide: {missing}, so the result would be theirs. Decide by a metric that is "
            "one number a unit (rating, response time), or give them no part in a new test."
        )
    going = "Paused" if state.state is State.PAUSED else "Keep running"
    if _is_sure(row) and (decision.waiting or missing is not None):
        return f"{going}{_in_days(days_left, ',')}: {_but(state, decision)}."
    if all(isinstance(one.diff, Undefined) or one.diff.se == 0 for one in decision.about):
        return f"{going}: cannot test yet, no {NAMES[row.metric.name]} differs from another."
    hint = "" if days_left is not None or state.state is State.PAUSED else _hint(state, row)
    return f"{going}{_in_days(days_left, ',')}: so far {_effects(decision)}.{hint}"


def _is_sure(row: Compared) -> bool:
    return row.p_better < row.plan.alpha and row.gain > 0


def _but(state: TestState, decision: Decision) -> str:
    """What is better, and what is still in its way."""
    row = decision.about[0]
    better = f"{row.variant} is better ({effect(row)}), but"
    if decision.waiting:
        held = listed([_guardrail(state, one) for one in decision.waiting])
        return f"{better} not yet surely safe: {held}"
    return f"{better} {missing_of(state, row.metric.name, decision.unmet)}"


def _hint(state: TestState, row: Compared) -> str:
    if row.metric.min_effect is None and state.config.planned_units is None:
        return " Without planned_units or min_effect nobody can say for how long."
    return ""


def _guardrail(state: TestState, row: Compared) -> str:
    if row.shown is None:
        return f"{NAMES[row.metric.name]} has no data"
    if row.too_early is not None and row.too_early.gate is Gate.UNITS:
        missing = missing_of(state, row.metric.name, row.too_early)
        return f"{NAMES[row.metric.name]} has {missing}"
    if not isinstance(row.diff, Undefined) and has_no_margin(row.metric, row.diff):
        return f"{effect(row)}; a share of 0 allows nothing, a new test needs an absolute margin"
    return f"{effect(row)}, allowed is {allowed(row.metric)}"


def _effects(decision: Decision) -> str:
    if len(decision.about) == 1:
        row = decision.about[0]
        return f"{effect(row)} with {row.variant}"
    return "; ".join(f"{row.variant}: {effect(row)}" for row in decision.about)


def _shares(split: Split, units: str) -> str:
    got = listed([f"{key} got {n:,}" for key, n in split.observed.items()])
    promised = listed([f"{split.expected[key]:,.0f}" for key in split.observed])
    return f"{got} {units} where {promised} were promised"


def _in_days(value: float | None, before: str = ";") -> str:
    return "" if value is None else f"{before} {days(value)}"


_SENTENCES: Final[dict[Verdict, Sentence]] = {
    "COLLECTING": _collecting,
    "BROKEN": _broken,
    "STOP_HARM": _stop,
    "SHIP": _ship,
    "NO_DIFFERENCE": _same,
    "INCONCLUSIVE": _cannot_tell,
    "KEEP_RUNNING": _keep,
}
