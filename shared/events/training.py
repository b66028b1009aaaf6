"""A training row became ready, changed, or was withdrawn, as everybody is told."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from shared.events.base import Event, ShortText

Share = Annotated[float, Field(ge=0, le=1)]
Sentence = Annotated[str, Field(max_length=512)]


class TrainingExampleEvent(Event):
    """One change of one row, which it names; without texts, since a log is hard to erase."""

    row_id: UUID
    operation_id: ShortText
    kind: Literal["answer", "correction"] = Field(
        description="What the model said, or a text that should have been given instead."
    )
    state: Literal["ready", "updated", "withdrawn"]
    model_id: ShortText
    model_version: ShortText | None = None
    quality: Share
    weight: Share
    consent: bool | None = Field(None, description="Null: nobody said.")
    split: Literal["train", "validation", "test"]
    formula_version: ShortText
    has_text: bool = Field(description="False where the tenant keeps no content.")
    reasons: list[Sentence] = Field([], description="Why the row has this quality and weight.")
    feedback: list[UUID] = Field([], description="The event_ids that the row was made of.")
