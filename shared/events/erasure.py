"""Somebody is to be erased, and what came of it, as everybody is told. Neither names the person."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.events.base import Event, ShortText


class ErasureEvent(Event):
    """What bears a name and occurred before an instant is erased, or loses its names."""

    erasure_id: UUID
    mode: Literal["erase", "anonymise"]
    kind: Literal["user", "operation", "filter"]
    subject_hash: ShortText = Field(
        description="The same for the same subject of a tenant; it tells nobody who that is."
    )
    erased_from: AwareDatetime | None = None
    erased_before: AwareDatetime
    deadline: AwareDatetime = Field(description="By when all receipts should be there.")


class ErasureReceiptEvent(Event):
    """A store holds nothing of it any more, or will hold nothing from an instant on."""

    erasure_id: UUID
    service: ShortText
    store: ShortText
    removed: Annotated[int, Field(ge=0)] | None = Field(
        None, description="How many rows; null where nobody can count."
    )
    until: AwareDatetime | None = Field(
        None, description="Until then the store may still hold what ages out of it by itself."
    )
