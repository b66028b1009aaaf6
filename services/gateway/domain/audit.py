"""What the audit log is told of changes, and how its rows are answered."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import BaseModel, Field
from pydantic_core import from_json

from services.gateway.domain.erasures import Asked as Erasure
from services.gateway.domain.experiments import KeptTest
from services.gateway.domain.exporting import Wanted
from services.gateway.domain.reviews import Place
from shared.audit.chain import Entry, Row
from shared.experiments.lifecycle import State
from shared.training.filters import RowFilters

BODIES = ("body", "labels", "matchers", "filters", "splits")
"""Columns that hold JSON."""
STEPS = {State.RUNNING: "start", State.PAUSED: "pause", State.STOPPED: "stop"}
EXAMPLE = {
    "seq": 7,
    "at": "2026-11-20T09:30:00.000001Z",
    "actor": "key:k3f9q2m8x1ab",
    "role": "operator",
    "action": "silence.create",
    "object": {"type": "silence", "id": "0199f2c4-7b1e-7c3a-9a52-5a1c0c9b7e10"},
    "before": None,
    "after": {"matchers": {"model_id": "gpt-4o-mini"}, "comment": "hmac:1c9f…"},
    "request_id": "5f0c1d2e",
    "key_version": 0,
    "prev_hash": "ab12…",
    "hash": "cd34…",
}


class Asked(NamedTuple):
    """Which rows are asked for; `None` = any."""

    actor: str | None = None
    action: str | None = None
    object_type: str | None = None
    object_id: str | None = None
    start: datetime | None = None
    end: datetime | None = None


class ObjectView(BaseModel):
    """What something was done to."""

    type: str
    id: str


class AuditRow(BaseModel):
    """One row of the audit log. `hmac:…` stands for a text that is not kept here."""

    seq: int
    at: datetime
    actor: str
    role: str | None
    action: str
    object: ObjectView
    before: Any = Field(description="What it was; null: nothing, or not told.")
    after: Any = Field(description="What it became, or what was asked for.")
    request_id: str | None
    key_version: int
    prev_hash: str
    hash: str


class AuditPage(BaseModel):
    """A page of rows."""

    items: list[AuditRow]
    next_cursor: str | None


class AnchorsView(BaseModel):
    """Heads that were written down outside the database."""

    enabled: bool = Field(description="Whether they are; else a cut tail can go unseen.")
    compared: int = Field(description="Anchors that rows were compared with.")
    anchored_at: datetime | None = Field(description="When this process last wrote them down.")


class HeadView(BaseModel):
    """The last row that fits."""

    seq: int
    hash: str


class VerifyAnswer(BaseModel):
    """What came of looking at the whole chain."""

    valid: bool
    as_of: datetime
    entries: int
    first_bad: int | None = Field(description="The first sequence number that is wrong.")
    why: str | None
    head: HeadView | None
    anchors: AnchorsView


def of_row(kind: str, action: str, identity: UUID, before: Any = None, after: Any = None) -> Entry:
    """A change of a stored object; rows are told as they are kept."""
    kept = [_kept(before), _kept(after)]
    return Entry(f"{kind}.{action}", kind, str(identity), *kept)


def of_key(action: str, before: Any = None, after: Any = None) -> Entry:
    """A change of an API key; of a rotation, the old key and the one that takes its place."""
    named = after if before is None else before
    return Entry(f"key.{action}", "api_key", named["key_id"], _kept(before), _kept(after))


def of_test(before: KeptTest | None, after: KeptTest) -> Entry:
    """A change of an A/B test; which one shows in its state."""
    action = "create" if before is None else "change"
    if before is not None and before.state is not after.state:
        action = STEPS.get(after.state, action)
    told = [None if before is None else _test(before), _test(after)]
    return Entry(f"ab_test.{action}", "ab_test", str(after.test_id), *told)


def of_limits(action: str, model_id: str, before: Iterable[Any], after: str | None) -> Entry:
    """A change of limits; `before` holds also those that a model inherits."""
    was = next((row["body"] for row in before if row["model_id"] == model_id), None)
    told = [None if body is None else from_json(body) for body in (was, after)]
    return Entry(f"health_limits.{action}", "health_limits", model_id, *told)


def of_retention(tenant_id: str, before: Mapping[str, int], after: Mapping[str, int]) -> Entry:
    """Another time for which data is kept, in days by class."""
    return Entry("retention.put", "retention", tenant_id, dict(before), dict(after))


def of_place(action: str, place: Place, said: Mapping[str, Any] | None = None) -> Entry:
    """What a reviewer does with an item of a queue."""
    after = {"operation_id": place.operation_id, "reviewer": place.reviewer, **(said or {})}
    return Entry(f"review_item.{action}", "review_queue", str(place.queue_id), None, after)


def of_export(wanted: Wanted) -> Entry:
    """Somebody is about to take training data out, as a file."""
    asked = {
        "filters": wanted.filters.model_dump(mode="json", exclude_none=True),
        "shape": wanted.shape,
        "format": wanted.format,
        "is_redacted": wanted.is_redacted,
    }
    kind, identity = "training_data", "*"
    if wanted.dataset_id is not None:
        kind, identity = "dataset", str(wanted.dataset_id)
    return Entry("training.export", kind, identity, None, asked)


def of_reading(filters: RowFilters | None = None, row_id: UUID | None = None) -> Entry:
    """Somebody is about to look at training rows."""
    asked = None if filters is None else filters.model_dump(mode="json", exclude_none=True)
    kind, identity = ("training_data", "*") if row_id is None else ("training_row", str(row_id))
    return Entry("training.read", kind, identity, None, asked)


def of_reviews(queue_id: UUID) -> Entry:
    """Somebody is about to take out what reviewers said."""
    return Entry("reviews.export", "review_queue", str(queue_id))


def of_erasure(asked: Erasure) -> Entry:
    """Somebody is to be erased. Whom, says a digest only: a pseudonym would outlive the erasure."""
    told = {
        **{name: getattr(asked, name) for name in ("mode", "kind", "subject_hash", "deadline")},
        "erased_from": asked.since,
        "erased_before": asked.before,
    }
    return Entry("erasure.create", "erasure", str(asked.erasure_id), None, told)


def row_view(row: Row) -> dict[str, Any]:
    """A row as it is answered."""
    return {
        "seq": row.sequence,
        "at": row.occurred_at,
        "actor": row.actor,
        "role": row.role,
        "action": row.action,
        "object": {"type": row.object_type, "id": row.object_id},
        "before": row.before and from_json(row.before),
        "after": row.after and from_json(row.after),
        "request_id": row.request_id,
        "key_version": row.key_version,
        "prev_hash": row.prev_hash.hex(),
        "hash": row.row_hash.hex(),
    }


def _kept(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {
        name: from_json(value) if name in BODIES and isinstance(value, str) else value
        for name, value in row.items()
    }


def _test(test: KeptTest) -> dict[str, Any]:
    epochs = [{"number": one.number, "since": one.since} for one in test.epochs]
    return {"state": test.state, "config": test.config.model_dump(mode="json"), "epochs": epochs}
