"""The state or the verdict of an A/B test changed, as everybody is told."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.events.base import Event, ShortText

Verdict = Literal[
    "COLLECTING", "BROKEN", "STOP_HARM", "SHIP", "NO_DIFFERENCE", "INCONCLUSIVE", "KEEP_RUNNING"
]
Count = Annotated[int, Field(ge=0)]


class Effect(BaseModel):
    """How a variant differs from the control in one metric; an unknown number is null."""

    model_config = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)

    metric: ShortText
    variant: ShortText
    control: ShortText
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    significant: bool | None = None


class ExperimentEvent(Event):
    """One step of a test's life: somebody's deed, or another verdict."""

    test_id: UUID
    key: ShortText
    name: ShortText
    state: Literal["draft", "running", "paused", "stopped", "concluded"]
    verdict: Verdict | None = Field(None, description="Null before the first was reached.")
    previous_verdict: Verdict | None = Field(
        None, description="Of the look before; null in a step that a person took."
    )
    winner: ShortText | None = None
    effects: list[Effect] = Field([], description="Of each variant beside the control.")
    samples: dict[str, Count] = Field({}, description="Units by variant.")
    epoch: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = Field(
        None, description="Number of the epoch that holds; null before the start."
    )
    reason: Annotated[str, Field(max_length=2_048)]
    actor: ShortText | None = Field(None, description="Who did this; null when no person did.")
