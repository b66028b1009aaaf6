"""The configuration of an A/B test as it is sent, kept and obeyed."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator
from pydantic_core import PydanticCustomError

from shared.events.base import ShortText
from shared.experiments.metrics import MetricConfig

MOST_VARIANTS = 10
WEIGHTS_SUM_WITHIN = 1e-9
LONGEST_RUNTIME_H = 366 * 24

# Keys are parts of URLs and of what is hashed: no separators of either, no case folding.
Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$")]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Chance = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
Unit = Literal["user_id", "session_id"]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class Variant(_Strict):
    """One arm: the model that its units get, and its share of those who take part."""

    key: Key
    model_id: ShortText
    weight: Share
    is_control: bool = False


class OperationFilter(_Strict):
    """Which operations of a unit count; what is not named may be anything."""

    operation_type: ShortText | None = None
    environment: ShortText | None = None
    agent_id: ShortText | None = None


class ExperimentConfig(_Strict):
    """What is compared, on whom, by what, and when it may end."""

    key: Key = Field(description="Unique within the tenant; also the flag's key in OFREP.")
    name: Annotated[str, Field(max_length=128)] = Field("", description="Without it, the key.")
    hypothesis: Annotated[str, Field(max_length=2_048)] = ""
    variants: Annotated[tuple[Variant, ...], Field(min_length=2, max_length=MOST_VARIANTS)]
    traffic: Share = Field(1.0, description="Share of all units that takes part.")
    unit: Unit = "user_id"
    filter: OperationFilter = OperationFilter()
    metrics: Annotated[tuple[MetricConfig, ...], Field(min_length=1, max_length=11)]
    alpha: Chance = 0.05
    power: Chance = 0.8
    planned_units: Annotated[int, Field(ge=2, le=10**9)] | None = Field(
        None, description="Of all variants together; without it, 5,000 is reckoned with."
    )
    min_units_per_variant: Annotated[int, Field(ge=2, le=10**8)] = 100
    min_runtime_hours: Annotated[float, Field(ge=0, le=LONGEST_RUNTIME_H)] = 168
    exclusion_group: Key | None = Field(
        None, description="A unit takes part in at most one running test of a group."
    )
    cuped: bool = Field(
        True, description="Whether effects are adjusted by what units did before the test."
    )
    auto_pause: bool = Field(True, description="Whether harm or broken data may pause it.")
    auto_conclude: bool = Field(False, description="Whether a final verdict may end it.")

    @field_validator("variants", "metrics", mode="before")
    @classmethod
    def _from_list(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("variants")
    @classmethod
    def _comparable(cls, variants: tuple[Variant, ...]) -> tuple[Variant, ...]:
        _refuse_repeats([one.key for one in variants], "variants", "give each a key of its own")
        controls = [one.key for one in variants if one.is_control]
        if len(controls) != 1:
            said = ", ".join(controls) or "none"
            raise PydanticCustomError(
                "control",
                "exactly one variant must say is_control: true; now {said}",
                {"said": said},
            )
        total = sum(one.weight for one in variants)
        if abs(total - 1) > WEIGHTS_SUM_WITHIN:
            raise PydanticCustomError(
                "weights",
                "the weights sum to {total}, not to 1; divide each by {total}",
                {"total": f"{total:.10g}"},
            )
        return variants

    @field_validator("metrics")
    @classmethod
    def _decidable(cls, metrics: tuple[MetricConfig, ...]) -> tuple[MetricConfig, ...]:
        _refuse_repeats([one.name for one in metrics], "metrics", "give each once, in one role")
        primary = [one.name for one in metrics if one.role == "primary"]
        if len(primary) != 1:
            said = ", ".join(primary) or "none"
            raise PydanticCustomError(
                "primary",
                "exactly one metric must have the role primary, by which the test is decided; "
                "now {said}; make others secondary or guardrail",
                {"said": said},
            )
        return metrics

    @property
    def control(self) -> Variant:
        """What everybody outside gets."""
        return next(one for one in self.variants if one.is_control)

    @property
    def weights(self) -> dict[str, float]:
        """Shares by variant, in the variants' order."""
        return {one.key: one.weight for one in self.variants}

    def weighted(self, weights: dict[str, float], traffic: float) -> Self:
        """The same test with other shares."""
        variants = [one.model_copy(update={"weight": weights[one.key]}) for one in self.variants]
        return self.model_copy(update={"variants": tuple(variants), "traffic": traffic})


def _refuse_repeats(names: list[str], what: str, remedy: str) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise PydanticCustomError(
            "repeated",
            "{what} repeat {names}; {remedy}",
            {"what": what, "names": ", ".join(repeated), "remedy": remedy},
        )
