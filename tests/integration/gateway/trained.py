"""What group `feedback` would have made, put straight into its tables."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from tests.support.system import Rows

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOSTILE = '=1+1 <script>alert("x")</script> \u202egnp.exe\u202c \u200b\U0001f600 ","\r\n'
LINEAGE = {"feedback": ["0199f2c4-7b1e-7c3a-9a52-5a1c0c9b7e10"], "a": {"z": 1, "b": HOSTILE}}
ANALYSIS = {
    "tenant_id": "acme",
    "source": "user",
    "method": "rating",
    "version": "1",
    "is_corrected": False,
}
TRAINED = {
    "tenant_id": "acme",
    "kind": "answer",
    "model_id": "m",
    "environment": "production",
    "operation_type": "chat",
    "input": "What is 1 and 1?",
    "output": "It is 2.",
    "quality": 0.75,
    "weight": 0.5,
    "reasons": ["2 of 2 users found it helpful"],
    "split": "train",
    "formula_version": "1",
    "weighed_at": NOON,
    "lineage": json.dumps(LINEAGE),
    "has_pii": False,
}


async def store_analysis(
    rows: Rows, at: datetime, event_id: UUID, operation_id: str, **columns: Any
) -> None:
    """How a feedback was read."""
    named = {"event_id": event_id, "occurred_at": at, "operation_id": operation_id}
    await _insert(rows, "feedback_analysis", ANALYSIS | named | columns)


async def store_training(rows: Rows, at: datetime = NOON, **columns: Any) -> UUID:
    """A training row; answers its id."""
    named = TRAINED | {"row_id": uuid4(), "operation_id": str(uuid4()), "occurred_at": at} | columns
    kept = {"state": "ready", "terms": "[]", "content_hash": b""}
    await _insert(rows, "model_training_data", kept | named)
    return UUID(str(named["row_id"]))


async def store_dataset(rows: Rows, state: str = "frozen", **columns: Any) -> UUID:
    """A dataset without rows; answers its id."""
    named: dict[str, Any] = {
        "tenant_id": "acme",
        "dataset_id": uuid4(),
        "name": f"set-{uuid4()}",
        "version": 1,
        "filters": "{}",
        "splits": '{"train": 1.0}',
        "state": state,
        "created_by": "key:test",
        **columns,
    }
    await _insert(rows, "datasets", named)
    return UUID(str(named["dataset_id"]))


async def store_dataset_row(
    rows: Rows, dataset_id: UUID, row_id: UUID, position: int, **columns: Any
) -> None:
    """The copy of a row in a dataset."""
    named = TRAINED | {"dataset_id": dataset_id, "row_id": row_id, "position": position}
    named |= {"operation_id": f"op-{position}", "occurred_at": NOON} | columns
    await _insert(rows, "dataset_rows", named)


async def forget_training(rows: Rows) -> None:
    """Empty all tables of training."""
    await rows("TRUNCATE model_training_data, training_blocks, feedback_due, datasets CASCADE")


async def _insert(rows: Rows, table: str, columns: dict[str, Any]) -> None:
    places = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
    names = ", ".join(columns)
    await rows(f"INSERT INTO {table} ({names}) VALUES ({places})", *columns.values())
