"""What is asked of the planner of A/B tests, and how its numbers are answered."""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.gateway.domain.experiments import Seen
from services.gateway.domain.problems import wrong_field
from shared.experiments.config import MOST_VARIANTS, Chance, ExperimentConfig, Key
from shared.experiments.metrics import LESS_IS_BETTER, Direction, MetricName

MOST = 1e12
RATES: Final = frozenset(
    {"success_rate", "share_slower_than_slo", "helpful", "accurate", "relevant", "fast"}
)
RATIOS: Final = frozenset({"tokens", "cost_usd"})
"""Per operation; the others are means over units."""
BOUNDS: Final[Mapping[str, tuple[float, float]]] = {"rating": (1, 5), "confidence": (0, 1)}
BESIDE: Final = ("variant", "control")
LN_METRIC = "response_time_ms"
DAY_S = 86_400
WEEK_DAYS = 7

PlanMode = Literal["fixed", "hybrid", "always_valid"]
Amount = Annotated[float, Field(gt=0, le=MOST, allow_inf_nan=False)]


class PlanRequest(BaseModel):
    """A comparison to be planned; what is left out comes from the test, if one is named."""

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)

    test_id: Annotated[UUID | None, Field(strict=False)] = Field(
        None, description="A test that the rest is taken from: its configuration and its results."
    )
    key: Key | None = Field(None, description="The same by its key.")
    metric: MetricName | None = Field(None, description="Without it, the test's primary one.")
    baseline: Annotated[float, Field(ge=0, le=MOST, allow_inf_nan=False)] | None = Field(
        None, description="The control's value."
    )
    sd: Annotated[float, Field(ge=0, le=MOST, allow_inf_nan=False)] | None = Field(
        None,
        description="Standard deviation between units; of response_time_ms that of ln(ms). A rate "
        "may go without: every unit then counts once.",
    )
    min_effect: Amount | None = Field(None, description="The least difference that matters.")
    relative: bool = Field(False, description="min_effect is a share of the baseline.")
    direction: Direction | None = Field(
        None, description="What is better; without it, as the metric's name suggests."
    )
    history_units: Annotated[int, Field(ge=1, le=10**12)] | None = Field(
        None, description="Units that the baseline was seen on; guards a relative min_effect."
    )
    alpha: Chance = 0.05
    power: Chance = 0.8
    variants: Annotated[int, Field(ge=2, le=MOST_VARIANTS)] = 2
    guardrails: Annotated[int, Field(ge=0, le=10)] = 0
    mode: PlanMode = Field(
        "fixed",
        description="`fixed`: one look at the end, as textbooks have it. `hybrid`: a test with "
        "planned_units. `always_valid`: one without.",
    )
    planned_units: Annotated[int, Field(ge=2, le=10**9)] | None = Field(
        None, description="Where an always-valid interval is tightest; without it 5,000."
    )
    units_per_day: Amount | None = Field(
        None, description="New units a day that take part, of all variants together."
    )


class PlannedWeek(BaseModel):
    """What is seen at the end of a week of the test."""

    week: int
    units: int = Field(description="Of all variants together.")
    effect: float = Field(description="Absolute: the least effect found with the asked power.")
    relative_effect: float | None


class PlannedUnits(BaseModel):
    """What one mode needs; null where that is more than 1,000,000,000 units."""

    units_per_variant: int | None
    units_total: int | None
    days: int | None


class PlanAnswer(BaseModel):
    """How large a test must be, or why nobody can say."""

    refusal: str | None
    metric: MetricName
    mode: PlanMode
    baseline: float | None
    sd: float | None
    min_effect: float | None = Field(description="Absolute.")
    alpha: float
    power: float
    variants: int
    units_per_day: float | None
    units_per_variant: int | None
    units_total: int | None
    days: int | None = Field(description="Null without units_per_day.")
    detectable_effect_by_week: list[PlannedWeek] = Field(
        description="Empty without units_per_day; 4 to 26 weeks."
    )
    by_mode: dict[PlanMode, PlannedUnits]
    notes: list[str] = Field(description="What was assumed, and what follows for the test.")


def from_test(seen: Seen, asked: PlanRequest) -> PlanRequest:
    """What was asked, completed from a test: what was said itself goes first."""
    said = {name: getattr(asked, name) for name in asked.model_fields_set}
    config = seen.test.config
    primary = next(one.name for one in config.metrics if one.role == "primary")
    metric: str = asked.metric or primary
    known = {"metric": metric, **_configured(config, metric), **_observed(seen, metric)}
    # What belongs together is taken from one place.
    for name, beside in (("baseline", "history_units"), ("min_effect", "relative")):
        if name in said:
            known.pop(beside, None)
    return PlanRequest.model_validate(known | said)


def question(asked: PlanRequest) -> dict[str, Any]:
    """What the reckoner is asked; refuses what lacks something."""
    metric = asked.metric
    if metric is None:
        raise wrong_field("metric", "is needed, or a test_id or key to take it from")
    if asked.min_effect is None:
        raise wrong_field("min_effect", "is needed: the least difference that matters, above 0")
    kind = _kind(asked)
    if kind != "rate" and asked.sd is None:
        what = "ln(ms)" if metric == LN_METRIC else metric
        raise wrong_field("sd", f"is needed for {metric}: the units' standard deviation of {what}")
    is_needed = kind == "rate" or asked.relative or metric == LN_METRIC
    if is_needed and asked.baseline is None:
        raise wrong_field("baseline", "is needed: the control's value, as it is today")
    if is_needed and not asked.baseline:
        raise wrong_field("baseline", "is 0: nothing can be told relative to it; give one above 0")
    _check_reach(asked)
    ln = metric == LN_METRIC
    return {
        "do": "plan",
        "asked": {
            "kind": kind,
            "baseline": asked.baseline,
            "sd": asked.sd if kind != "rate" else None,
            "min_effect": math.log1p(_share(asked)) if ln else asked.min_effect,
            "relative": asked.relative and not ln,
            "rises": _rises(asked),
            **asked.model_dump(include=PASSED_ON),
        },
    }


PASSED_ON: Final = {
    "history_units", "alpha", "power", "variants", "guardrails", "mode", "planned_units",
    "units_per_day",
}  # fmt: skip


def plan_view(asked: PlanRequest, found: Mapping[str, Any]) -> dict[str, Any]:
    """A plan as it is answered."""
    units = {mode: _needs(asked, one) for mode, one in found["units"].items()}
    nothing = {"units_per_variant": None, "units_total": None, "days": None}
    echoed = ("metric", "mode", "baseline", "sd", "alpha", "power", "variants", "units_per_day")
    return {
        "refusal": found["refusal"],
        **{name: getattr(asked, name) for name in echoed},
        "min_effect": _in_metric(asked, found["min_effect"]),
        **units.get(asked.mode, nothing),
        "detectable_effect_by_week": [_week(asked, one) for one in found["weeks"]],
        "by_mode": units,
        "notes": [] if found["refusal"] else list(_notes(asked, units)),
    }


def _kind(asked: PlanRequest) -> str:
    if asked.metric in RATES and asked.sd is None:
        return "rate"
    return "ratio" if asked.metric in RATIOS or asked.metric in RATES else "mean"


def _rises(asked: PlanRequest) -> bool:
    if asked.direction is not None:
        return asked.direction == "increase"
    return asked.metric not in LESS_IS_BETTER


def _share(asked: PlanRequest) -> float:
    assert asked.min_effect is not None  # noqa: S101 - checked before
    if asked.relative:
        return asked.min_effect
    assert asked.baseline  # noqa: S101 - checked before
    return asked.min_effect / asked.baseline


def _check_reach(asked: PlanRequest) -> None:
    """Whether the control, and a treatment with the effect, can be as they are said to be."""
    least, most = BOUNDS.get(str(asked.metric), (0, 1) if asked.metric in RATES else (0, math.inf))
    base, effect = asked.baseline, asked.min_effect
    if base is None:
        return
    assert effect is not None  # noqa: S101 - checked before
    is_inside = least < base < most if asked.metric in RATES else least <= base <= most
    if not is_inside:
        raise wrong_field("baseline", f"of {asked.metric} lies between {least:g} and {most:g}")
    by = effect * base if asked.relative else effect
    reached = base + by if _rises(asked) else base - by
    is_reached = least < reached < most if asked.metric in RATES else least <= reached <= most
    if not is_reached:
        raise wrong_field(
            "min_effect",
            f"leads from {base:g} to {reached:g}, and {asked.metric} lies between {least:g} and "
            f"{most:g}; choose a smaller one",
        )


def _configured(config: ExperimentConfig, metric: str) -> dict[str, Any]:
    """What a test's configuration says of a plan."""
    of_test = {
        "alpha": config.alpha,
        "power": config.power,
        "variants": len(config.variants),
        "guardrails": sum(one.role == "guardrail" for one in config.metrics),
        "planned_units": config.planned_units,
        "mode": "always_valid" if config.planned_units is None else "hybrid",
    }
    found = next((one for one in config.metrics if one.name == metric), None)
    if found is None:
        return of_test
    effect = {} if found.min_effect is None else {"min_effect": found.min_effect}
    return of_test | effect | {"relative": found.relative, "direction": found.better}


def _observed(seen: Seen, metric: str) -> dict[str, Any]:
    """What a test's results say of a plan: the control's value, the spread, and how many come."""
    if seen.body is None:
        return {}
    variants = {one["key"]: one for one in seen.body.get("variants", ())}
    control = variants.get(seen.test.config.control.key, {})
    found: dict[str, Any] = {}
    value = (control.get("metrics", {}).get(metric) or {}).get("value")
    if value is not None:
        found |= {"baseline": float(value), "history_units": control.get("units") or None}
    sd = _spread(metric, variants, seen.body.get("comparisons", ()))
    if sd:
        found["sd"] = sd
    total = sum(one.get("units") or 0 for one in variants.values())
    if total and seen.as_of is not None and seen.test.started_at is not None:
        days = (seen.as_of - seen.test.started_at).total_seconds() / DAY_S
        if days >= 1:
            found["units_per_day"] = total / days
    return found


def _spread(
    metric: str,
    variants: Mapping[str, Mapping[str, Any]],
    comparisons: Sequence[Mapping[str, Any]],
) -> float | None:
    """One unit's standard deviation, from the error of a difference: SE^2 = s^2 (1/na + 1/nb)."""
    for one in comparisons:
        counts = [int(variants.get(one[name], {}).get("units") or 0) for name in BESIDE]
        if one["metric"] == metric and one.get("se") and all(counts):
            # Of some units the metric was never seen.
            share = min(1.0, (one.get("units") or sum(counts)) / sum(counts))
            # As measured: nobody knows what the next test's units did before it.
            left = 1 - float((one.get("cuped") or {}).get("variance_reduction") or 0.0)
            return float(one["se"]) / math.sqrt(left * sum(1 / (share * n) for n in counts))
    return None


def _needs(asked: PlanRequest, units: int | None) -> dict[str, int | None]:
    total = None if units is None else units * asked.variants
    is_timed = total is not None and asked.units_per_day is not None
    days = math.ceil(total / asked.units_per_day) if is_timed else None  # type: ignore[operator]
    return {"units_per_variant": units, "units_total": total, "days": days}


def _week(asked: PlanRequest, row: Mapping[str, Any]) -> dict[str, Any]:
    effect = _in_metric(asked, row["effect"])
    relative = effect / asked.baseline if effect is not None and asked.baseline else None
    return {**row, "effect": effect, "relative_effect": relative}


def _in_metric(asked: PlanRequest, effect: float | None) -> float | None:
    """An effect in the metric's own unit; of response times it was reckoned as a logarithm."""
    if effect is None or asked.metric != LN_METRIC:
        return effect
    assert asked.baseline is not None  # noqa: S101 - checked before
    return asked.baseline * math.expm1(effect)


def _notes(asked: PlanRequest, units: Mapping[str, Mapping[str, int | None]]) -> Sequence[str]:
    notes = []
    if _kind(asked) == "rate":
        notes.append(
            "Every unit counts once. Where units have several operations each, give sd: the "
            "standard deviation of one unit's share."
        )
    if asked.mode == "fixed":
        total = units["hybrid"]["units_total"]
        needed = "more than there are" if total is None else f"planned_units = {total}"
        notes.append(
            "This is for one look at the end. Assay looks all the time; so that this costs no "
            f"power, the test needs {needed}."
        )
    days = units[asked.mode]["days"]
    if days is not None and days < WEEK_DAYS:
        notes.append(
            f"The units are there within {days} days; min_runtime_hours lets a test go on for a "
            "week all the same, as weekdays differ."
        )
    return notes
