"""A comparison as it is read."""

import math

from services.abtest.domain import phases
from services.abtest.domain.compared import Compared
from services.abtest.domain.missing import missing_of
from services.abtest.domain.ordering import ordered
from services.abtest.domain.state import TestState, limit_of
from shared.experiments.answers import Undefined
from shared.experiments.metrics import unit_of_difference
from shared.experiments.results import (
    ComparisonResult,
    CupedResult,
    FixedResult,
    SensitivityResult,
)


def comparison(state: TestState, row: Compared, *, is_hidden: bool) -> ComparisonResult:
    """A row as it is read. Effects of broken data are hidden: somebody would act on them."""
    common = {
        "metric": row.name,
        "variant": row.variant,
        "control": row.control,
        "role": row.role,
        "unit": unit_of_difference(row.metric.name),
        "method": row.method,
        "n_star": row.plan.n_star,
        "units": _units(state, row),
        "operations": _operations(state, row),
        "enough_data": row.too_early is None,
        "winsorised_at": limit_of(state, row.metric.name),
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
        "low": known(shown.low),
        "high": known(shown.high),
        "relative": None if lift is None else known(lift.effect),
        "relative_low": None if lift is None else known(lift.low),
        "relative_high": None if lift is None else known(lift.high),
        "p_value": row.p,
        "p_adjusted": row.p_adjusted,
        "significant": row.significant,
        "decisive": row.unmet is None and shown.reason is None,
        "unmet": said or shown.reason,
        "harmed": row.harmed if row.role in ("guardrail", "primary") else None,
        "non_inferior": row.within_margin if row.role == "guardrail" else None,
        "se": known(row.diff.se),
        "df": known(row.diff.df),
        "fixed": FixedResult(low=known(once.low), high=known(once.high), p_value=once.p),
        "cuped": _cuped(row),
        "sensitivity": _sensitivity(state, row),
    }


def _cuped(row: Compared) -> CupedResult | None:
    done = row.adjustment
    if done is None:
        return None
    return CupedResult(variance_reduction=done.variance_reduction, coverage=done.coverage)


def _sensitivity(state: TestState, row: Compared) -> SensitivityResult | None:
    found = ordered(state, row.control, row.variant) if row.name == "rating" else None
    if found is None:
        return None
    return SensitivityResult(p_better=found.probability, p_value=found.p)


def _units(state: TestState, row: Compared) -> int:
    if row.is_frozen and not isinstance(row.diff, Undefined):
        return row.diff.units
    return sum(phases.pooled(state, row.metric.name, key).n for key in (row.control, row.variant))


def _operations(state: TestState, row: Compared) -> int:
    pair = (row.control, row.variant)
    return sum(arm.operations for key, arm in state.arms.items() if key.variant in pair)


def known(value: float | None) -> float | None:
    """A number that JSON has."""
    return value if value is not None and math.isfinite(value) else None
