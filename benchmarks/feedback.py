"""feedback from a full topic: comments read and kept, and the rows that are made of them.

The operations are stored already. Half of the feedback has a comment, a tenth a correction; each
operation is spoken of twice, by different users.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import asyncpg

from benchmarks.servers import Keyed, Servers, filled_topic, rate_of, rss_mb

EVENTS = 100_000
OPERATIONS = EVENTS // 2
COMMENTS = (
    "Perfect, this solved it at once.",
    "The answer is outdated: that setting was removed two years ago.",
    "No, that is not what I asked for. I wanted the price per month, not per year.",
    "Muy útil, gracias.",
    "Es war zwar schnell, aber leider falsch.",
)
STORE = """
    INSERT INTO ai_model_operations (tenant_id, event_id, occurred_at, operation_id, model_id,
        success, response_time_ms, operation_type, environment, input_text, output_text,
        payload_hash, kafka_topic, kafka_partition, kafka_offset)
    SELECT 'acme', gen_random_uuid(), $1, 'operation-' || lpad(n::text, 12, '0'), 'model-' || n % 5,
           n % 20 <> 0, 20, 'chat', 'production',
           'What does plan ' || n || ' cost in a year? ' || repeat('I use it at work. ', 10),
           'It costs ' || n || ' EUR. ' || repeat('Prices are without tax. ', 12),
           '\\x00', 'stored.before', 0, n
      FROM generate_series(0, $2 - 1) AS n
"""


async def feedback(target: Servers) -> dict[str, Any]:
    """Events per second that are read and kept, and that are so and have become rows."""
    prefix = f"f{uuid4().hex[:6]}."
    at = datetime.now(UTC) - timedelta(minutes=5)
    connection = await asyncpg.connect(target.postgres_dsn)
    await connection.execute(
        "SELECT ensure_day_partition('ai_model_operations'::regclass, $1)", at.date()
    )
    await connection.execute(STORE, at, OPERATIONS)
    await connection.execute("ANALYZE ai_model_operations")
    await filled_topic(target, prefix, _said(at), "feedback.v1")
    service = target.service("feedback", prefix)
    try:
        kept = partial(target.ingest_position, prefix)
        rate, whole = await asyncio.gather(
            rate_of(kept, EVENTS, 180), rate_of(partial(_made, connection, kept), EVENTS, 180)
        )
        rss = rss_mb(service)
    finally:
        service.stop()
        await connection.close()
    return {"feedback": rate, "feedback_whole": whole, "feedback_rss_mb": rss}


async def _made(connection: Any, kept: Callable[[], Awaitable[int]]) -> int:
    """Feedback that is kept; all of it only once all rows are made of it."""
    found = await kept()
    if found < EVENTS:
        return found
    return EVENTS - bool(await connection.fetchval("SELECT count(*) FROM feedback_due"))


def _said(at: datetime) -> list[Keyed]:
    made = []
    for number in range(EVENTS):
        event: dict[str, Any] = {
            "event_id": str(uuid4()),
            "tenant_id": "acme",
            "occurred_at": (at + timedelta(milliseconds=number)).isoformat(),
            "operation_id": f"operation-{number % OPERATIONS:012d}",
            "user_id": f"user-{number * 7919 % 4_999:06d}",
            "rating": 1 + number % 5,
        }
        if number % 2:
            event["comment"] = COMMENTS[number % len(COMMENTS)]
        if number % 10 == 0:
            event["correction"] = f"It costs {number} EUR a year, tax included."
        made.append((str(event["operation_id"]).encode(), json.dumps(event).encode()))
    return made
