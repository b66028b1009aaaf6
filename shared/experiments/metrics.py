"""The metrics that a test may be decided by."""

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

MetricName = Literal[
    "success_rate", "response_time_ms", "share_slower_than_slo", "rating", "helpful", "accurate",
    "relevant", "fast", "tokens", "cost_usd", "confidence",
]  # fmt: skip
Direction = Literal["increase", "decrease"]
Role = Literal["primary", "guardrail", "secondary"]
Effect = Annotated[float, Field(gt=0, allow_inf_nan=False)]

LESS_IS_BETTER: Final = frozenset(
    {"response_time_ms", "share_slower_than_slo", "tokens", "cost_usd"}
)
SHARES: Final = frozenset(
    {
        "success_rate",
        "share_slower_than_slo",
        "helpful",
        "accurate",
        "relevant",
        "fast",
        "confidence",
    }
)
_UNITS: Final = {
    "response_time_ms": "ln",
    "cost_usd": "USD",
    "tokens": "tokens",
    "rating": "rating",
}
SLO_METRIC = "share_slower_than_slo"
DEFAULT_SLO_MS = 10_000.0


class MetricConfig(BaseModel):
    """One metric: its part in the decision, and how much of a difference matters."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)

    name: MetricName
    role: Role
    direction: Direction | None = Field(
        None, description="What is better; without it, as the metric's name suggests."
    )
    min_effect: Effect | None = Field(None, description="The least difference that matters.")
    margin: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = Field(
        None,
        description="How much worse it may get, as a guardrail; without it, 2 % of the control's.",
    )
    relative: bool = Field(
        False, description="min_effect and margin are shares of the control's value."
    )
    slo_ms: Annotated[float, Field(gt=0, le=86_400_000)] | None = Field(
        None, description=f"Of {SLO_METRIC} only: slower than this; without it, {DEFAULT_SLO_MS:g}."
    )

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.slo_ms is not None and self.name != SLO_METRIC:
            raise _wrong("slo_ms", f"belongs to {SLO_METRIC} only; leave it out")
        for name in ("min_effect", "margin"):
            value = getattr(self, name)
            if value is not None and value >= 1 and not self.relative and self.name in SHARES:
                raise _wrong(
                    name, f"of {self.name}, a share, lies below 1; 0.02 is two percentage points"
                )
        return self

    @property
    def better(self) -> Direction:
        """What is better, said or not."""
        if self.direction is not None:
            return self.direction
        return "decrease" if self.name in LESS_IS_BETTER else "increase"

    @property
    def slower_than_ms(self) -> float:
        """The limit that `share_slower_than_slo` counts by."""
        return DEFAULT_SLO_MS if self.slo_ms is None else self.slo_ms


def unit_of_difference(metric: MetricName) -> str:
    """In which unit a difference is told: `ln` is the logarithm of a ratio of geometric means."""
    return _UNITS.get(metric, "share")


def _wrong(name: str, why: str) -> PydanticCustomError:
    return PydanticCustomError("metric", "{name} {why}", {"name": name, "why": why})
