"""One step in the life of an alert, as everybody is told."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.events.base import Event, ShortText


class Span(BaseModel):
    """An interval; an end that the data cannot bound is null."""

    model_config = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)

    low: float | None = None
    high: float | None = None


class AlertEvent(Event):
    """A step: its event_id is made of the alert's and the step's number, the same at a repeat."""

    alert_id: UUID
    rule_id: UUID
    rule_name: ShortText
    model_id: ShortText
    labels: dict[str, str] = Field(
        description="The group's names and values, and the rule's labels."
    )
    state: Literal["pending", "firing", "acknowledged", "resolved"]
    severity: Literal["warning", "critical"]
    value: float | None = None
    threshold: float | None = None
    interval: Span | None = None
    sample: Annotated[int, Field(ge=0)] = 0
    window: ShortText
    reason: Annotated[str, Field(max_length=2_048)]
    actor: ShortText | None = Field(None, description="Who did this; null when no person did.")
    step: Annotated[int, Field(ge=1, le=2**31 - 1)]
    started_at: AwareDatetime
    fired_at: AwareDatetime | None = None
    acknowledged_until: AwareDatetime | None = None
    channels: list[UUID] | None = Field(None, description="Channels of the rule; null means all.")
