"""Queues of operations that people review, as they are asked for and answered."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal, NamedTuple
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError, from_json

from services.gateway.domain.problems import Problem
from shared.events.base import Comment, LongText, ShortText
from shared.training.filters import Share

LEASE: Final = timedelta(minutes=30)
MOST_SAMPLED: Final = 1_000
LEAST_FOR_AGREEMENT: Final = 10
THUMBS = ("helpful", "accurate", "relevant", "fast")
_REVIEWS = UUID("0e5c35a1-8d0f-5f0e-8a6c-3a1f6e5b9c42")

Strategy = Literal["uncertainty", "disagreement", "both", "random"]


class ReviewFilters(BaseModel):
    """Which operations may be sampled; left out = all of the last 30 days."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model_id: ShortText | None = None
    agent_id: ShortText | None = None
    environment: ShortText | None = None
    operation_type: ShortText | None = None
    min_quality: Share | None = None
    max_quality: Share | None = None


class QueueRequest(BaseModel):
    """A queue to be made, with its first sample."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=128)]
    reviewers: Annotated[int, Field(ge=1, le=10)] = Field(
        2, description="How many review each operation: never more."
    )
    strategy: Strategy = Field(
        "both",
        description="What comes first: answers of unsure quality, answers that people disagree on, "
        "either of these, or any, also such as nobody has spoken of.",
    )
    filters: ReviewFilters = ReviewFilters()
    sample: Annotated[int, Field(ge=1, le=MOST_SAMPLED)] = 100


class SampleRequest(BaseModel):
    """More operations for a queue; none that it has had."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sample: Annotated[int, Field(ge=1, le=MOST_SAMPLED)] = 100


class Review(BaseModel):
    """What a reviewer says of an operation that he has taken."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    rating: Annotated[int, Field(ge=1, le=5)] | None = None
    helpful: bool | None = None
    accurate: bool | None = None
    relevant: bool | None = None
    fast: bool | None = None
    comment: Comment | None = None
    correction: LongText | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "Review":
        if not self.model_dump(exclude_none=True):
            raise PydanticCustomError(
                "missing", "say at least one of rating, a thumb, comment, correction"
            )
        return self


class Place(NamedTuple):
    """Who reviews what."""

    tenant_id: str
    queue_id: UUID
    operation_id: str
    reviewer: str


class QueueView(BaseModel):
    """A queue."""

    id: UUID
    name: str
    reviewers: int
    strategy: Strategy
    filters: dict[str, Any]
    items: int = Field(description="Operations in it.")
    complete: int = Field(description="Those that as many have reviewed as are to.")
    reviews: int
    taken: int = Field(description="Places that somebody has taken and not used yet.")
    created_at: datetime
    created_by: str
    closed_at: datetime | None


class Agreement(BaseModel):
    """Krippendorff's alpha of one question; null with a reason where too few can be compared."""

    value: float | None
    low: float | None
    high: float | None
    items: int
    reason: str | None


class QueueWithAgreement(QueueView):
    """A queue, and how far its reviewers agree."""

    agreement: dict[str, Agreement] = Field(description="Rating (ordinal) and thumbs (nominal).")


class QueuesPage(BaseModel):
    """A page of queues."""

    items: list[QueueView]
    next_cursor: str | None


class NextItem(BaseModel):
    """An operation that the caller has taken; all null when nothing is left for this reviewer."""

    operation_id: str | None
    model_id: str | None
    operation_type: str | None
    input: str | None
    output: str | None
    reason: str | None = Field(description="Why it was sampled.")
    expires_at: datetime | None = Field(description="Until then the place is kept.")


NOTHING_LEFT = dict.fromkeys(NextItem.model_fields)
EXAMPLE = {
    "id": "0199f2d0-1c44-7d0e-b6a8-7f2e4c9a1b35",
    "name": "billing answers",
    "reviewers": 2,
    "strategy": "both",
    "filters": {"model_id": "gpt-4o-mini"},
    "items": 100,
    "complete": 12,
    "reviews": 31,
    "taken": 2,
    "created_at": "2026-11-21T08:00:00Z",
    "created_by": "key:k3v9x0aq2m1z",
    "closed_at": None,
}


def queue_view(row: Mapping[str, Any]) -> dict[str, Any]:
    """A stored queue as it is answered."""
    shown = {name: row[name] for name in QueueView.model_fields if name not in {"id", "filters"}}
    return {"id": row["queue_id"], **shown, "filters": from_json(row["filters"])}


def no_queue(queue_id: UUID) -> Problem:
    """The 404 of a queue."""
    return Problem("not-found", f"There is no review queue {queue_id}.")


def reviewed(
    queue_id: UUID, operation_id: str, reviewer: str, at: datetime, said: Mapping[str, Any]
) -> dict[str, Any]:
    """A review as feedback: the same event however often it is sent."""
    event_id = uuid5(_REVIEWS, "\x1f".join((str(queue_id), operation_id, reviewer)))
    return {
        "event_id": str(event_id),
        "occurred_at": at.isoformat(),
        "operation_id": operation_id,
        "user_id": reviewer,
        "source": "reviewer",
        **said,
        "metadata": {"review_queue": str(queue_id)},
    }
