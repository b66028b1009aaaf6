"""Operations of before a test's start, as ingest has stored them; and their sums, one by one."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

import asyncpg

from services.abtest.domain.rows import TOTALS, UnitKey
from shared.experiments.values import ln_micro, micro
from shared.pseudonym import pseudonym
from tests.support.system import SECRET

SLO_MS = 10_000


class Before(NamedTuple):
    """An operation, and what its user said of it."""

    at: datetime
    user: str
    ms: float = 100.0
    success: bool = True
    tokens: int | None = None
    cost_nano: int | None = None
    confidence: float | None = None
    environment: str = "production"
    rating: int | None = None
    rated_at: datetime | None = None


async def store(dsn: str, tenant: str, operations: Sequence[Before]) -> None:
    """Keep them where ingest does."""
    connection = await asyncpg.connect(dsn)
    days = {one.at.date() for one in operations}
    days |= {one.rated_at.date() for one in operations if one.rated_at}
    for day in sorted(days):
        for table in ("ai_model_operations", "user_feedback"):
            await connection.execute("SELECT ensure_day_partition($1::regclass, $2)", table, day)
    ids = [str(uuid4()) for _ in operations]
    await connection.executemany(
        """
        INSERT INTO ai_model_operations (tenant_id, event_id, occurred_at, operation_id, model_id,
            success, response_time_ms, operation_type, environment, user_pseudonym, input_tokens,
            cost_nano, confidence, payload_hash, kafka_topic, kafka_partition, kafka_offset)
        VALUES ($1, gen_random_uuid(), $2, $3, 'm', $4, $5, 'chat', $6, $7, $8, $9, $10, '', 't',
                0, 0)
        """,
        [
            (
                *(tenant, one.at, name, one.success, one.ms, one.environment),
                *(unit_of(tenant, one.user), one.tokens, one.cost_nano, one.confidence),
            )
            for name, one in zip(ids, operations, strict=True)
        ],
    )
    await connection.executemany(
        """
        INSERT INTO user_feedback (tenant_id, event_id, occurred_at, operation_id, rating, source,
            payload_hash, kafka_topic, kafka_partition, kafka_offset)
        VALUES ($1, gen_random_uuid(), $2, $3, $4, 'tests', '', 't', 0, 0)
        """,
        [
            (tenant, one.rated_at or one.at + timedelta(seconds=1), name, one.rating)
            for name, one in zip(ids, operations, strict=True)
            if one.rating
        ],
    )
    await connection.close()


def unit_of(tenant: str, user: str) -> str:
    """A user's pseudonym."""
    return pseudonym(SECRET.encode(), tenant, user)


def totals(
    tenant: str, test_id: UUID, operations: Sequence[Before], end: datetime
) -> dict[UnitKey, tuple[int, ...]]:
    """What units held in the fourteen days before `end`, in production."""
    held: dict[UnitKey, dict[str, int]] = defaultdict(lambda: dict.fromkeys(TOTALS, 0))
    for one in operations:
        is_in = end - timedelta(days=14) <= one.at < end and one.environment == "production"
        if not is_in:
            continue
        mine = held[UnitKey(tenant, test_id, unit_of(tenant, one.user))]
        mine["n"] += 1
        mine["ok"] += one.success
        mine["ln"] += ln_micro(one.ms)
        mine["slow"] += one.ms > SLO_MS
        values = {
            "tok": one.tokens,
            "cost": one.cost_nano,
            "conf": None if one.confidence is None else micro(one.confidence),
            "rating": one.rating if (one.rated_at or one.at) < end else None,
        }
        for name, value in values.items():
            if value is not None:
                mine[f"{name}_n"] += 1
                mine[name] += value
    return {key: tuple(mine.values()) for key, mine in held.items()}
