"""A feedback as it is stored: explicit words first, the comment read where they are silent."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from services.feedback.domain.sentiment.labels import ASPECTS, Label, Sentiment
from services.feedback.domain.sentiment.merge import Merged, merge
from services.feedback.domain.votes import Feedback, Source
from shared.events.feedback import FeedbackEvent

PseudonymOf = Callable[[str, str], str]
"""From tenant and user to the name under which the user is stored."""


class Said(NamedTuple):
    """One row of `feedback_analysis`, in column order."""

    tenant_id: str
    event_id: UUID
    occurred_at: datetime
    operation_id: str
    source: str
    user_pseudonym: str | None
    rating: int | None
    helpful: bool | None
    accurate: bool | None
    relevant: bool | None
    fast: bool | None
    from_comment: list[str]
    conflict: list[str]
    label: str | None
    score: float | None
    confidence: float | None
    method: str
    version: str
    is_corrected: bool
    correction: str | None
    consent: bool | None

    @property
    def operation(self) -> tuple[str, str]:
        """What it is about."""
        return self.tenant_id, self.operation_id


def said(
    event: FeedbackEvent, read: Sentiment | None, pseudonym: PseudonymOf, *, content_free: bool
) -> Said:
    """A feedback, and how its comment was read; a tenant may keep no texts."""
    given = {name: getattr(event, name) for name in ASPECTS}
    judged = merge(event.rating, given, read)
    return Said(
        *(event.tenant_id, event.event_id, event.occurred_at, event.operation_id, event.source),
        pseudonym(event.tenant_id, event.user_id) if event.user_id else None,
        event.rating,
        judged.aspects.get("helpful"),
        judged.aspects.get("accurate"),
        judged.aspects.get("relevant"),
        judged.aspects.get("fast"),
        list(judged.from_comment),
        list(judged.conflict),
        judged.label,
        judged.score,
        judged.confidence,
        judged.method,
        judged.version,
        bool((event.correction or "").strip()),
        None if content_free else event.correction,
        event.training_consent,
    )


def feedback_of(row: Any) -> Feedback:
    """A stored row as votes are counted; members by column."""
    return Feedback(
        row["event_id"],
        row["occurred_at"],
        Source(row["source"]),
        Merged(
            None if row["label"] is None else Label(row["label"]),
            row["score"],
            row["confidence"],
            row["method"],
            row["version"],
            {name: row[name] for name in ASPECTS if row[name] is not None},
            tuple(row["from_comment"]),
            tuple(row["conflict"]),
        ),
        row["user_pseudonym"],
        None,
        row["correction"],
        row["consent"],
        row["is_corrected"],
    )
