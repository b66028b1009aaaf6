"""What a person, a reviewer or a program said of an operation."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from shared.events.base import (
    MAX_METADATA_KEYS,
    Comment,
    Event,
    LongText,
    Metadata,
    ShortText,
)

SAYS_SOMETHING = ("rating", "helpful", "accurate", "relevant", "fast", "comment", "correction")


class FeedbackEvent(Event):
    """A judgement of one operation; it may arrive before the operation does."""

    operation_id: ShortText
    rating: Annotated[int, Field(ge=1, le=5)] | None = None
    helpful: bool | None = None
    accurate: bool | None = None
    relevant: bool | None = None
    fast: bool | None = None
    comment: Comment | None = None
    correction: LongText | None = Field(None, description="The answer that should have been given.")

    model_id: ShortText | None = Field(None, description="Else joined from the operation.")
    environment: ShortText | None = Field(None, description="Used together with model_id.")
    operation_type: ShortText | None = Field(None, description="Used together with model_id.")
    variant: ShortText | None = Field(None, description="Used together with model_id.")
    user_id: ShortText | None = Field(None, description="Stored as a pseudonym only.")
    source: Literal["user", "reviewer", "code", "model"] = "user"
    training_consent: bool | None = None
    metadata: Annotated[Metadata, Field(max_length=MAX_METADATA_KEYS)] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if all(getattr(self, name) is None for name in SAYS_SOMETHING):
            raise PydanticCustomError(
                "missing", "needs at least one of {names}", {"names": ", ".join(SAYS_SOMETHING)}
            )
        return self
