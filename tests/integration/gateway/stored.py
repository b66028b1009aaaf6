"""Operations and feedback put straight into their tables."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.support.system import Rows

COMMON = {
    "tenant_id": "acme",
    "payload_hash": b"",
    "kafka_topic": "t",
    "kafka_partition": 0,
    "kafka_offset": 0,
}
OPERATION = COMMON | {
    "model_id": "m",
    "success": True,
    "response_time_ms": 100.0,
    "operation_type": "chat",
    "environment": "production",
}
FEEDBACK = COMMON | {"model_id": "m", "source": "user"}


async def with_days(rows: Rows, *days: datetime) -> None:
    """Make the partitions of these days."""
    for day in days:
        for table in ("ai_model_operations", "user_feedback"):
            await rows("SELECT ensure_day_partition($1::text::regclass, $2)", table, day.date())


async def store_operation(rows: Rows, at: datetime, **columns: Any) -> str:
    """One operation; answers its id."""
    named = OPERATION | {"operation_id": str(uuid4())} | columns
    await _store(rows, "ai_model_operations", at, named)
    return str(named["operation_id"])


async def store_feedback(rows: Rows, at: datetime, operation_id: str, **columns: Any) -> None:
    """What somebody said of an operation."""
    await _store(rows, "user_feedback", at, FEEDBACK | {"operation_id": operation_id} | columns)


async def _store(rows: Rows, table: str, at: datetime, columns: dict[str, Any]) -> None:
    named = {"event_id": uuid4(), "occurred_at": at, **columns}
    places = ", ".join(f"${place}" for place in range(1, len(named) + 1))
    await rows(f"INSERT INTO {table} ({', '.join(named)}) VALUES ({places})", *named.values())


async def model_seen(rows: Rows, model_id: str) -> None:
    """A stored minute, by which a model is known."""
    await rows(
        """
        INSERT INTO operation_rollup_minute (tenant_id, minute, model_id, environment,
                                             operation_type, variant, topic, partition, n)
        VALUES ('acme', $1, $2, 'production', 'chat', '', 't', 0, 1) ON CONFLICT DO NOTHING
        """,
        datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(days=2),
        model_id,
    )
