"""Feedback as it is answered: what was said, how it was read, and what came of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field
from pydantic_core import from_json

ASPECTS = ("helpful", "accurate", "relevant", "fast")
SAID = (
    "event_id", "occurred_at", "operation_id", "model_id", "agent_id", "environment",
    "operation_type", "variant", "user_pseudonym", "source", "rating", *ASPECTS, "comment",
    "correction", "training_consent",
)  # fmt: skip


class SentimentView(BaseModel):
    """How it sounds."""

    label: Literal["negative", "neutral", "positive"] | None = Field(
        description="null: nothing was said, or the scorer was not sure enough."
    )
    score: float | None = Field(description="From -1, negative, to 1, positive.")
    confidence: float | None
    method: str
    version: str


class AspectsView(BaseModel):
    """What counts: explicit words, and the comment where they are silent."""

    helpful: bool | None
    accurate: bool | None
    relevant: bool | None
    fast: bool | None
    from_comment: list[str] = Field(description="Those that only the comment told.")
    conflict: list[str] = Field(description="Those where the comment says otherwise.")


class FeedbackView(BaseModel):
    """One feedback."""

    event_id: UUID
    occurred_at: datetime
    operation_id: str
    model_id: str | None = Field(description="null until its operation has come.")
    agent_id: str | None
    environment: str | None
    operation_type: str | None
    variant: str | None
    user_pseudonym: str | None
    source: Literal["user", "reviewer", "code", "model"]
    rating: int | None
    helpful: bool | None
    accurate: bool | None
    relevant: bool | None
    fast: bool | None
    comment: str | None
    correction: str | None
    training_consent: bool | None
    metadata: dict[str, Any] | None
    sentiment: SentimentView | None = Field(description="null until it was read.")
    aspects: AspectsView | None = Field(description="null until it was read.")
    quality: float | None = Field(
        description="Of the training row of its operation's answer; null when there is none."
    )
    superseded: bool | None = Field(
        description="Whether the same person said something later; null until it was read."
    )
    own_judge: bool | None = Field(
        description="Whether the model judged itself, which counts nowhere; null until it was read."
    )


class FeedbackPage(BaseModel):
    """A page of feedback."""

    items: list[FeedbackView]
    next_cursor: str | None


def feedback_view(row: Mapping[str, Any]) -> dict[str, Any]:
    """A stored feedback as it is answered; what was read of it has the prefix `read_`."""
    metadata = row["metadata"]
    was_read = row["method"] is not None
    sentiment = {name: row[name] for name in SentimentView.model_fields}
    aspects: dict[str, Any] = {name: row[f"read_{name}"] for name in ASPECTS}
    aspects |= {name: row[name] for name in ("from_comment", "conflict")}
    return {
        **{name: row[name] for name in SAID},
        "metadata": None if metadata is None else from_json(metadata),
        "sentiment": sentiment if was_read else None,
        "aspects": aspects if was_read else None,
        "quality": row["quality"],
        "superseded": row["is_superseded"],
        "own_judge": row["is_own_judge"],
    }
