"""A unit was shown a variant of an A/B test."""

from typing import Annotated

from pydantic import Field

from shared.events.base import Event, Metadata, ShortText

MAX_CONTEXT_KEYS = 16


class ExposureEvent(Event):
    """From here on the unit counts for its variant; the first of several is the one that counts."""

    test_id: ShortText = Field(description="The test's id, as the gateway gave it.")
    unit_id: ShortText = Field(
        description="The user or session, raw, as in operations; stored as a pseudonym only."
    )
    variant: ShortText
    epoch: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = Field(
        None, description="Number of the test's epoch that placed the unit, where it is known."
    )
    context: Annotated[Metadata, Field(max_length=MAX_CONTEXT_KEYS)] | None = None
