"""From a test's sums to what everybody reads: pure, so that the same states give the same bits."""

from datetime import datetime

from services.abtest.domain import words
from services.abtest.domain.comparing import compare
from services.abtest.domain.memory import Memory
from services.abtest.domain.readable import comparison, known
from services.abtest.domain.splitting import Split, split
from services.abtest.domain.state import TestState
from services.abtest.domain.valued import valued
from services.abtest.domain.verdict import decide, remembered, standing
from services.abtest.domain.waiting import days_left
from services.abtest.domain.warnings import warnings
from shared.experiments.results import (
    MultipleExposures,
    ResultsAnswer,
    SplitResult,
    ValueResult,
    VariantResult,
)

FORMULA_VERSION = "abtest-3"
"""Grows with every change of what is computed; kept with each verdict."""


def results(
    state: TestState, memory: Memory, now_of_events: datetime
) -> tuple[ResultsAnswer, Memory]:
    """One look: the answer, and what the next look begins with. `now_of_events` is event time."""
    found, memory = split(state, standing(state, memory))
    is_sound = not (found.is_broken or found.has_many_multiple or found.missing)
    rows, memory = compare(state, memory, keep=is_sound)
    decision = decide(state, rows, found, memory)
    left = days_left(state, decision, now_of_events)
    is_hidden = decision.verdict == "BROKEN"
    answer = ResultsAnswer(
        test_id=state.test_id,
        state=state.state,
        verdict=decision.verdict,
        winner=decision.winner,
        recommendation=words.recommendation(state, decision, found, left),
        days_left=known(left),
        warnings=tuple(warnings(state, found, rows)),
        srm=_split_result(found),
        variants=tuple(
            _variant(state, one.key, is_hidden=is_hidden) for one in state.config.variants
        ),
        comparisons=tuple(comparison(state, row, is_hidden=is_hidden) for row in rows),
        multiple_exposures=MultipleExposures(units=found.multiple, share=found.multiple_share),
        as_of=now_of_events,
        formula_version=FORMULA_VERSION,
    )
    return answer, remembered(memory, decision)


def _split_result(found: Split) -> SplitResult:
    return SplitResult(
        p_value=found.p,
        one_look_p_value=found.one_look_p,
        expected=found.expected,
        observed=found.observed,
        broken=found.is_broken,
    )


def _variant(state: TestState, key: str, *, is_hidden: bool) -> VariantResult:
    arms = [arm for at, arm in state.arms.items() if at.variant == key]
    names = [one.name for one in state.config.metrics]
    hidden = ValueResult()
    return VariantResult(
        key=key,
        units=sum(arm.units for arm in arms),
        operations=sum(arm.operations for arm in arms),
        metrics={name: hidden if is_hidden else valued(state, name, key) for name in names},
    )
