"""From a test's sums to what everybody reads: pure, so that the same states give the same bits."""

import math
from datetime import datetime

from services.abtest.domain import phases, words
from services.abtest.domain.compared import Compared
from services.abtest.domain.comparing import compare
from services.abtest.domain.gates import largest_share
from services.abtest.domain.guarding import LOGARITHMIC
from services.abtest.domain.memory import Memory
from services.abtest.domain.missing import missing_of, people
from services.abtest.domain.splitting import Split, split
from services.abtest.domain.state import TestState
from services.abtest.domain.valued import valued
from services.abtest.domain.verdict import decide, remembered
from services.abtest.domain.waiting import days_left
from services.abtest.domain.wording import NAMES
from services.abtest.domain.wording import share as percent
from shared.experiments.answers import Undefined
from shared.experiments.results import (
    ComparisonResult,
    FixedResult,
    MultipleExposures,
    ResultsAnswer,
    SplitResult,
    ValueResult,
    VariantResult,
)
from shared.experiments.values import is_dominated

FORMULA_VERSION = "abtest-1"
"""Grows with every change of what is computed; kept with each verdict."""


def results(
    state: TestState, memory: Memory, now_of_events: datetime
) -> tuple[ResultsAnswer, Memory]:
    """One look: the answer, and what the next look begins with. `now_of_events` is event time."""
    found, memory = split(state, memory)
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
        days_left=_known(left),
        warnings=tuple(_warnings(state, found)),
        srm=_split_result(found),
        variants=tuple(
            _variant(state, one.key, is_hidden=is_hidden) for one in state.config.variants
        ),
        comparisons=tuple(_comparison(state, row, is_hidden=is_hidden) for row in rows),
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


def _comparison(state: TestState, row: Compared, *, is_hidden: bool) -> ComparisonResult:
    """A row as it is read. Effects of broken data are hidden: somebody would act on them."""
    common = {
        "metric": row.name,
        "variant": row.variant,
        "control": row.control,
        "role": row.role,
        "unit": _unit(row),
        "method": row.method,
        "n_star": row.plan.n_star,
        "units": _units(state, row),
        "operations": _operations(state, row),
        "enough_data": row.too_early is None,
    }
    if is_hidden:
        said = "the split or the data are broken"
        return ComparisonResult.model_validate(common | _NO_EFFECT | {"unmet": said})
    return ComparisonResult.model_validate(common | _effect(state, row))


_NO_EFFECT = {
    **dict.fromkeys(
        ("difference", "low", "high", "relative", "relative_low", "relative_high", "p_value",
         "p_adjusted", "harmed", "non_inferior", "se", "df"),
    ),
    "significant": False,
    "decisive": False,
    "fixed": FixedResult(low=None, high=None, p_value=None),
}  # fmt: skip


def _effect(state: TestState, row: Compared) -> dict[str, object]:
    said = missing_of(state, row.metric.name, row.unmet)
    if isinstance(row.diff, Undefined) or row.shown is None or row.one_look is None:
        reason = row.diff.reason if isinstance(row.diff, Undefined) else "no data"
        return _NO_EFFECT | {"unmet": said or reason}
    shown, once, lift = row.shown, row.one_look, row.lift
    return {
        "difference": shown.effect,
        "low": _known(shown.low),
        "high": _known(shown.high),
        "relative": None if lift is None else _known(lift.effect),
        "relative_low": None if lift is None else _known(lift.low),
        "relative_high": None if lift is None else _known(lift.high),
        "p_value": row.p,
        "p_adjusted": row.p_adjusted,
        "significant": row.significant,
        "decisive": row.unmet is None and shown.reason is None,
        "unmet": said or shown.reason,
        "harmed": row.harmed if row.role in ("guardrail", "primary") else None,
        "non_inferior": row.within_margin if row.role == "guardrail" else None,
        "se": _known(row.diff.se),
        "df": _known(row.diff.df),
        "fixed": FixedResult(low=_known(once.low), high=_known(once.high), p_value=once.p),
    }


def _unit(row: Compared) -> str:
    if row.metric.name == LOGARITHMIC:
        return "ln"
    return {"cost_usd": "USD", "tokens": "tokens", "rating": "rating"}.get(row.metric.name, "share")


def _units(state: TestState, row: Compared) -> int:
    return sum(phases.pooled(state, row.metric.name, key).n for key in (row.control, row.variant))


def _operations(state: TestState, row: Compared) -> int:
    pair = (row.control, row.variant)
    return sum(arm.operations for key, arm in state.arms.items() if key.variant in pair)


def _warnings(state: TestState, found: Split) -> list[str]:
    said = []
    if found.is_suspect:
        said.append("The split is unlikely, though not yet beyond doubt: watch srm.")
    for one in state.config.variants:
        largest, total = largest_share(state, one.key)
        units = sum(arm.units for key, arm in state.arms.items() if key.variant == one.key)
        if units >= state.config.min_units_per_variant and is_dominated(largest, total):
            share = percent(largest / total)
            said.append(f"{one.key} is dominated by one unit: {share} of its operations.")
        crossed = sum(arm.crossovers for key, arm in state.arms.items() if key.variant == one.key)
        if crossed and total:
            said.append(
                f"{crossed:,} operations of {one.key} ({percent(crossed / total)}) were served by "
                f"another model than {one.model_id}; they count for {one.key}."
            )
    for metric in state.config.metrics:
        few = [k for k in state.config.weights if 0 < phases.pooled(state, metric.name, k).n < 30]
        if metric.name == "rating" and few:
            said.append(
                f"Fewer than 30 {people(state)} with a {NAMES['rating']} in {', '.join(few)}."
            )
    return said


def _known(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
