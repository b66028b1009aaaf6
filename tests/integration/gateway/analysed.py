"""Feedback as group `feedback` would have read it, put straight into its tables."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from tests.integration.gateway.stored import store_feedback, with_days
from tests.support.system import Rows

NOW = datetime.now(UTC)
READ = {"source": "user", "method": "rating", "version": "1", "is_corrected": False}
OPERATION = {
    "model_id": "model-a",
    "model_version": "1",
    "agent_id": "planner",
    "environment": "production",
    "operation_type": "chat",
}
TRAINED = {
    "kind": "answer",
    "state": "ready",
    "environment": "production",
    "operation_type": "chat",
    "quality": 0.5,
    "weight": 0.5,
    "reasons": [],
    "terms": "[]",
    "split": "train",
    "formula_version": "1",
    "lineage": "{}",
    "has_pii": False,
    "content_hash": b"",
}


async def operated(rows: Rows, tenant_id: str = "acme", **columns: Any) -> str:
    """An operation that was found; answers its id."""
    found = columns.pop("found_at", NOW)
    named = {"tenant_id": tenant_id, "operation_id": str(uuid4()), "found_at": found}
    named |= (OPERATION if found else {}) | columns
    await _insert(rows, "feedback_operations", [named])
    return str(named["operation_id"])


async def said(
    rows: Rows, operation_id: str, at: datetime, comment: str | None = None, **columns: Any
) -> None:
    """One feedback, with its comment where it has one."""
    event_id = uuid4()
    tenant_id = columns.pop("tenant_id", "acme")
    named = {"tenant_id": tenant_id, "event_id": event_id, "occurred_at": at}
    await _insert(
        rows,
        "feedback_analysis",
        [READ | named | {"operation_id": operation_id} | columns],
    )
    if comment is not None:
        await with_days(rows, at)
        kept = {"tenant_id": tenant_id, "event_id": event_id, "comment": comment}
        await store_feedback(rows, at, operation_id, **kept)


async def judged(
    rows: Rows, votes: Iterable[dict[str, Any]], at: datetime, **operation: Any
) -> None:
    """Each vote of an operation of its own, a minute apart."""
    tenant_id = operation.pop("tenant_id", "acme")
    operations, read = [], []
    for number, vote in enumerate(votes):
        when = at + timedelta(minutes=number)
        of = {"tenant_id": tenant_id, "operation_id": str(uuid4())}
        operations.append(OPERATION | of | {"found_at": NOW, "occurred_at": when} | operation)
        read.append(READ | of | {"event_id": uuid4(), "occurred_at": when} | vote)
    await _insert(rows, "feedback_operations", operations)
    await _insert(rows, "feedback_analysis", read)


async def trained(rows: Rows, operation_id: str, quality: float, **columns: Any) -> UUID:
    """The training row of an operation; answers its id."""
    row_id = uuid4()
    named = {"tenant_id": "acme", "row_id": row_id, "operation_id": operation_id}
    named |= {"model_id": "model-a", "occurred_at": NOW, "weighed_at": NOW, "quality": quality}
    await _insert(rows, "model_training_data", [TRAINED | named | columns])
    return row_id


async def forget(rows: Rows) -> None:
    """Empty all tables that are filled here."""
    await rows(
        "TRUNCATE feedback_analysis, feedback_operations, model_training_data, training_blocks,"
        " user_feedback, operation_rollup_minute"
    )


async def _insert(rows: Rows, table: str, many: list[dict[str, Any]]) -> None:
    for columns in many:
        places = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
        names = ", ".join(columns)
        await rows(f"INSERT INTO {table} ({names}) VALUES ({places})", *columns.values())
