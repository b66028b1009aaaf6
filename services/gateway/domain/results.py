"""Results of an A/B test as they are answered, also before there are any."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.gateway.domain.experiments import Seen
from shared.events.experiment import Verdict
from shared.experiments.lifecycle import State

Method = Literal["always_valid", "hybrid", "fixed", "newcombe", "quantile"]

NOTHING_YET: Final[Mapping[State, str]] = {
    State.DRAFT: "The test has not begun: start it, and results come with the first units.",
    State.RUNNING: "Too early: nothing has been computed yet; results come within seconds of the "
    "first units.",
    State.PAUSED: "The test is paused, and nothing was counted before; start makes it go on.",
    State.STOPPED: "The test was stopped before anything was counted.",
    State.CONCLUDED: "The test was concluded before anything was counted.",
}


class _Growing(BaseModel):
    model_config = ConfigDict(extra="allow")


class SplitView(_Growing):
    """Whether units were split as the weights say."""

    p_value: float | None
    expected: dict[str, float]
    observed: dict[str, float]
    broken: bool


class ValueView(_Growing):
    """A metric of one variant."""

    value: float | None
    low: float | None
    high: float | None


class VariantResult(_Growing):
    """One variant."""

    key: str
    units: int
    operations: int
    metrics: dict[str, ValueView]


class FixedView(_Growing):
    """The same as one look at the planned end would have it."""

    low: float | None
    high: float | None
    p_value: float | None


class ComparisonView(_Growing):
    """A variant beside the control; `low`, `high`, `p_value` are those of `method`."""

    metric: str
    variant: str
    control: str
    role: Literal["primary", "guardrail", "secondary"]
    difference: float | None
    low: float | None
    high: float | None
    relative: float | None
    relative_low: float | None
    relative_high: float | None
    p_value: float | None
    p_adjusted: float | None
    method: Method
    significant: bool
    enough_data: bool
    se: float | None
    df: float | None
    unit: str
    n_star: int | None
    decisive: bool
    fixed: FixedView | None


class MultipleView(_Growing):
    """Units that were shown several variants."""

    units: int
    share: float | None


class ResultsAnswer(_Growing):
    """What a test says by now."""

    test_id: UUID
    state: State
    verdict: Verdict
    winner: str | None
    recommendation: str
    days_left: float | None
    srm: SplitView | None
    variants: list[VariantResult]
    comparisons: list[ComparisonView]
    multiple_exposures: MultipleView
    as_of: datetime | None = Field(description="Null while nothing was computed.")


def results_view(seen: Seen) -> dict[str, Any]:
    """What was computed last, in the state of now; before the first time, that it is too early."""
    test = seen.test
    now = {"test_id": str(test.test_id), "state": test.state}
    if seen.body is not None:
        return {**seen.body, **now}
    variants = [
        {"key": one.key, "units": 0, "operations": 0, "metrics": {}} for one in test.config.variants
    ]
    return {
        **now,
        "verdict": "COLLECTING",
        "winner": None,
        "recommendation": NOTHING_YET[test.state],
        "days_left": None,
        "srm": None,
        "variants": variants,
        "comparisons": [],
        "multiple_exposures": {"units": 0, "share": None},
        "as_of": None,
    }
