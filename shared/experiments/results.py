"""The results of an A/B test as everybody reads them; what nobody can know is null, never 0."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.events.experiment import Effect, Verdict
from shared.experiments.lifecycle import State
from shared.experiments.metrics import Role

Number = Annotated[float, Field(allow_inf_nan=False)]
Chance = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Method = Literal["always_valid", "hybrid", "fixed", "newcombe", "quantile"]


class _Answer(BaseModel):
    # A newer answer may say more: readers take what they know.
    model_config = ConfigDict(frozen=True, extra="ignore")


class SplitResult(_Answer):
    """Did the variants get the shares of units that they were promised?"""

    p_value: Chance = Field(description="Sequential: valid at every look, and never rises.")
    one_look_p_value: Chance = Field(description="Chi-square, exact below 1,000 units, this look.")
    expected: dict[str, Number]
    observed: dict[str, Count]
    broken: bool


class ValueResult(_Answer):
    """What a variant was seen to be, in the metric's own unit (ms for response times)."""

    value: Number | None = None
    low: Number | None = None
    high: Number | None = Field(None, description="95 % interval of one look: describes only.")


class VariantResult(_Answer):
    """One variant."""

    key: str
    units: Count
    operations: Count
    metrics: dict[str, ValueResult]


class FixedResult(_Answer):
    """The interval and p of a single look: not for decision before the planned end."""

    low: Number | None
    high: Number | None
    p_value: Chance | None


class CupedResult(_Answer):
    """The difference is adjusted by what units did in the 14 days before the test."""

    variance_reduction: Annotated[float, Field(le=1, allow_inf_nan=False)]
    coverage: Chance = Field(description="Share of the units that have such a past.")


class SensitivityResult(_Answer):
    """Ratings as an order (Brunner-Munzel), one look: it decides nothing."""

    p_better: Number = Field(description="P(variant higher) + P(equal) / 2, by units' means.")
    p_value: Chance


class ComparisonResult(_Answer):
    """A variant beside the control in one metric: variant minus control."""

    metric: str
    variant: str
    control: str
    role: Role
    unit: str = Field(description="Of difference, low, high and se; `ln` for response times.")
    difference: Number | None
    low: Number | None
    high: Number | None
    relative: Number | None = Field(description="Difference as a share of the control's value.")
    relative_low: Number | None
    relative_high: Number | None
    p_value: Chance | None = Field(description="The smallest of all looks, by `method`.")
    p_adjusted: Chance | None = Field(
        description="Primary: Holm over variants. Secondary: Benjamini-Hochberg. Guardrail: of "
        "being worse, one-sided, at this look."
    )
    method: Method
    significant: bool
    enough_data: bool
    decisive: bool = Field(description="Whether it may decide now; if not, `unmet` says why.")
    unmet: str | None
    harmed: bool | None = Field(description="Of guardrails and the primary: surely worse.")
    non_inferior: bool | None = Field(description="Of guardrails: surely within the margin.")
    se: Number | None
    df: Number | None
    units: Count = Field(description="Of both variants, with a value of the metric.")
    operations: Count
    n_star: Number = Field(description="Units of both at which the interval is tightest.")
    fixed: FixedResult
    cuped: CupedResult | None = Field(None, description="Null where it is not adjusted.")
    winsorised_at: Number | None = Field(
        None, description="Of tokens and cost: what an operation counts as at most."
    )
    sensitivity: SensitivityResult | None = Field(None, description="Of ratings.")


class MultipleExposures(_Answer):
    """Units that were seen in two variants: they are in no sums."""

    units: Count
    share: Chance


class ResultsAnswer(_Answer):
    """What a test says now."""

    test_id: UUID
    state: State
    verdict: Verdict
    winner: str | None
    recommendation: str
    days_left: Number | None
    warnings: tuple[str, ...] = Field(description="What to know before believing the numbers.")
    srm: SplitResult
    variants: tuple[VariantResult, ...]
    comparisons: tuple[ComparisonResult, ...]
    multiple_exposures: MultipleExposures
    as_of: datetime
    formula_version: str

    @property
    def effects(self) -> list[Effect]:
        """Its comparisons as everybody is told of them."""
        return [
            Effect(
                metric=one.metric,
                variant=one.variant,
                control=one.control,
                difference=one.difference,
                low=one.low,
                high=one.high,
                p_value=one.p_value,
                significant=one.significant,
            )
            for one in self.comparisons
        ]

    @property
    def samples(self) -> dict[str, int]:
        """Units by variant."""
        return {one.key: one.units for one in self.variants}
