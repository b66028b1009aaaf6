"""SQL of review queues: sampling, taking, and what was said."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import Record
from pydantic_core import to_json

from services.gateway.domain.reviews import QueueRequest, ReviewFilters
from services.gateway.queries.objects import Table
from shared.delivery.postgres import Session
from shared.training.filters import READY

# The newest of the last 30 days that are looked at: more would take longer than a request may.
LOOKED_AT = 20_000
COUNTS = """
    (SELECT count(*) FROM review_items AS i
      WHERE i.tenant_id = review_queues.tenant_id AND i.queue_id = review_queues.queue_id) AS items,
    (SELECT count(*) FROM (
         SELECT FROM review_takes AS t WHERE t.tenant_id = review_queues.tenant_id
            AND t.queue_id = review_queues.queue_id AND t.reviewed_at IS NOT NULL
          GROUP BY t.operation_id HAVING count(*) >= review_queues.reviewers) AS whole) AS complete,
    (SELECT count(*) FROM review_takes AS t WHERE t.tenant_id = review_queues.tenant_id
        AND t.queue_id = review_queues.queue_id AND t.reviewed_at IS NOT NULL) AS reviews,
    (SELECT count(*) FROM review_takes AS t WHERE t.tenant_id = review_queues.tenant_id
        AND t.queue_id = review_queues.queue_id AND t.reviewed_at IS NULL
        AND t.expires_at > now()) AS taken
"""
QUEUES = Table(
    "review_queues",
    "queue_id",
    f"queue_id, name, reviewers, strategy, filters, created_at, created_by, closed_at, {COUNTS}",
)
# How far quality is from being known, and how far the votes of an operation are apart; both 0 to 1.
_JUDGED = f"""
    SELECT r.operation_id, r.model_id, r.occurred_at, 1 - 2 * abs(r.quality - 0.5) AS uncertainty,
           coalesce((SELECT greatest((max(a.score) - min(a.score)) / 2,
                                     CASE WHEN bool_or(a.conflict <> '{{}}') THEN 0.5 ELSE 0 END)
              FROM feedback_analysis AS a
             WHERE a.tenant_id = r.tenant_id AND a.operation_id = r.operation_id
               AND NOT a.is_superseded AND NOT a.is_own_judge), 0) AS disagreement
      FROM (SELECT * FROM model_training_data AS r
             WHERE r.tenant_id = $1 AND r.kind = 'answer' AND {READY}
               AND r.output IS NOT NULL AND r.occurred_at > now() - interval '30 days'
               AND ($4::text IS NULL OR r.model_id = $4) AND ($5::text IS NULL OR r.agent_id = $5)
               AND ($6::text IS NULL OR r.environment = $6)
               AND ($7::text IS NULL OR r.operation_type = $7)
               AND ($8::float8 IS NULL OR r.quality >= $8)
               AND ($9::float8 IS NULL OR r.quality <= $9)
             ORDER BY r.occurred_at DESC, r.row_id DESC LIMIT {LOOKED_AT}) AS r
"""
_ANY = f"""
    SELECT DISTINCT ON (operation_id) operation_id, model_id, occurred_at,
           0::float8 AS uncertainty, 0::float8 AS disagreement
      FROM (SELECT * FROM ai_model_operations AS o
             WHERE o.tenant_id = $1 AND o.occurred_at > now() - interval '30 days'
               AND o.output_text IS NOT NULL
               AND ($4::text IS NULL OR o.model_id = $4) AND ($5::text IS NULL OR o.agent_id = $5)
               AND ($6::text IS NULL OR o.environment = $6)
               AND ($7::text IS NULL OR o.operation_type = $7)
               AND $8::float8 IS NULL AND $9::float8 IS NULL
             ORDER BY o.occurred_at DESC, o.event_id DESC LIMIT {LOOKED_AT}) AS o
     ORDER BY operation_id
"""
_SCORE = {
    "uncertainty": "uncertainty",
    "disagreement": "disagreement",
    "both": "greatest(uncertainty, disagreement)",
    "random": "0::float8",
}
_REASON = """
    CASE WHEN disagreement > uncertainty THEN 'people disagree: ' || round(disagreement::numeric, 2)
         WHEN uncertainty > 0 THEN 'quality is unsure: ' || round(uncertainty::numeric, 2)
         ELSE 'drawn' END
"""


async def insert(
    connection: Session, tenant_id: str, queue_id: UUID, asked: QueueRequest, actor: str
) -> None:
    """Make a queue."""
    await connection.execute(
        """
        INSERT INTO review_queues (tenant_id, queue_id, name, reviewers, strategy, filters,
                                   created_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        *(tenant_id, queue_id, asked.name, asked.reviewers, asked.strategy),
        to_json(asked.filters.model_dump(exclude_none=True)).decode(),
        actor,
    )


async def count(connection: Session, tenant_id: str) -> int:
    """How many queues there are."""
    return int(
        await connection.fetchval(
            "SELECT count(*) FROM review_queues WHERE tenant_id = $1", tenant_id
        )
    )


async def sample(
    connection: Session,
    queue: tuple[str, UUID],
    strategy: str,
    filters: ReviewFilters,
    most: int,
) -> int:
    """Add operations that the queue never had, the highest score first; ties fall by hash."""
    candidates = _ANY if strategy == "random" else _JUDGED
    done = await connection.execute(
        f"""
        INSERT INTO review_items (tenant_id, queue_id, operation_id, model_id, score, reason)
        SELECT $1, $2, operation_id, model_id, score, {_REASON}
          FROM (SELECT c.*, {_SCORE[strategy]} AS score FROM ({candidates}) AS c
                 WHERE NOT EXISTS (SELECT FROM review_items AS i WHERE i.tenant_id = $1
                                      AND i.queue_id = $2 AND i.operation_id = c.operation_id)
                 ORDER BY score DESC, md5($2::text || c.operation_id) LIMIT $3) AS chosen
        ON CONFLICT DO NOTHING
        """,
        *(*queue, most),
        *(filters.model_id, filters.agent_id, filters.environment, filters.operation_type),
        *(filters.min_quality, filters.max_quality),
    )
    return int(done.split()[-1])


async def open_queue(connection: Session, tenant_id: str, queue_id: UUID) -> Record | None:
    """A queue; whoever takes from it waits for the other who does."""
    return await connection.fetchrow(
        """
        SELECT reviewers, strategy, filters, closed_at FROM review_queues
         WHERE tenant_id = $1 AND queue_id = $2 FOR UPDATE
        """,
        tenant_id,
        queue_id,
    )


async def close(connection: Session, tenant_id: str, queue_id: UUID) -> bool:
    """Let nobody take from a queue any more; false when there is none."""
    done = await connection.execute(
        "UPDATE review_queues SET closed_at = coalesce(closed_at, now())"
        " WHERE tenant_id = $1 AND queue_id = $2",
        tenant_id,
        queue_id,
    )
    return bool(done == "UPDATE 1")


async def held(
    connection: Session, tenant_id: str, queue_id: UUID, reviewer: str, now: datetime
) -> Record | None:
    """What a reviewer has taken and not reviewed yet."""
    return await connection.fetchrow(
        """
        SELECT operation_id, expires_at FROM review_takes
         WHERE tenant_id = $1 AND queue_id = $2 AND reviewer = $3
           AND reviewed_at IS NULL AND expires_at > $4
         ORDER BY taken_at LIMIT 1
        """,
        *(tenant_id, queue_id, reviewer, now),
    )


async def take(
    connection: Session,
    who: tuple[str, UUID, str],
    reviewers: int,
    span: tuple[datetime, datetime],
) -> Record | None:
    """A free place of the highest item that this reviewer has not had, for a span of time."""
    (tenant_id, queue_id, reviewer), (now, until) = who, span
    await connection.execute(
        "DELETE FROM review_takes WHERE tenant_id = $1 AND queue_id = $2"
        " AND reviewed_at IS NULL AND expires_at <= $3",
        *(tenant_id, queue_id, now),
    )
    return await connection.fetchrow(
        """
        INSERT INTO review_takes (tenant_id, queue_id, operation_id, place, reviewer, taken_at,
                                  expires_at)
        SELECT $1, $2, i.operation_id,
               (SELECT min(place) FROM generate_series(1, $4::int) AS p (place)
                 WHERE NOT EXISTS (SELECT FROM review_takes AS t WHERE t.tenant_id = $1
                          AND t.queue_id = $2 AND t.operation_id = i.operation_id
                          AND t.place = p.place)), $3, $5, $6
          FROM review_items AS i
         WHERE i.tenant_id = $1 AND i.queue_id = $2
           AND (SELECT count(*) FROM review_takes AS t WHERE t.tenant_id = $1
                   AND t.queue_id = $2 AND t.operation_id = i.operation_id) < $4
           AND NOT EXISTS (SELECT FROM review_takes AS t WHERE t.tenant_id = $1
                   AND t.queue_id = $2 AND t.operation_id = i.operation_id AND t.reviewer = $3)
         ORDER BY i.score DESC, i.operation_id LIMIT 1
        RETURNING operation_id, expires_at
        """,
        *(tenant_id, queue_id, reviewer, reviewers, now, until),
    )


async def item(
    connection: Session, tenant_id: str, queue_id: UUID, operation_id: str
) -> Record | None:
    """An item with the texts of its operation's newest event."""
    return await connection.fetchrow(
        """
        SELECT i.operation_id, i.model_id, i.reason, o.operation_type, o.input_text AS input,
               o.output_text AS output
          FROM review_items AS i
          LEFT JOIN LATERAL (SELECT * FROM (
                   SELECT occurred_at, event_id, operation_type, input_text, output_text
                     FROM ai_model_operations AS o
                    WHERE o.tenant_id = i.tenant_id AND o.operation_id = i.operation_id) AS same
                    ORDER BY occurred_at DESC, event_id DESC LIMIT 1) AS o ON true
         WHERE i.tenant_id = $1 AND i.queue_id = $2 AND i.operation_id = $3
        """,
        *(tenant_id, queue_id, operation_id),
    )


async def taken(
    connection: Session, tenant_id: str, queue_id: UUID, operation_id: str, reviewer: str
) -> Record | None:
    """A place that a reviewer has, or had."""
    return await connection.fetchrow(
        """
        SELECT taken_at, expires_at, reviewed_at, said FROM review_takes
         WHERE tenant_id = $1 AND queue_id = $2 AND operation_id = $3 AND reviewer = $4
        """,
        *(tenant_id, queue_id, operation_id, reviewer),
    )


async def use(
    connection: Session,
    place: tuple[str, UUID, str, str],
    said: dict[str, Any],
    until: tuple[datetime, datetime],
) -> bool:
    """Use a place before it is free again; false when it is not this reviewer's any more."""
    now, taken_at = until
    done = await connection.execute(
        """
        UPDATE review_takes SET reviewed_at = $5, said = $6
         WHERE tenant_id = $1 AND queue_id = $2 AND operation_id = $3 AND reviewer = $4
           AND reviewed_at IS NULL AND expires_at > $5 AND taken_at = $7
        """,
        *(*place, now, to_json(said).decode(), taken_at),
    )
    return bool(done == "UPDATE 1")


async def reviews(
    connection: Session, tenant_id: str, queue_id: UUID, most: int
) -> Sequence[Record]:
    """What was said in a queue, by operation and reviewer."""
    return await connection.fetch(
        """
        SELECT t.operation_id, i.model_id, t.reviewer, t.reviewed_at, t.said
          FROM review_takes AS t JOIN review_items AS i USING (tenant_id, queue_id, operation_id)
         WHERE t.tenant_id = $1 AND t.queue_id = $2 AND t.reviewed_at IS NOT NULL
         ORDER BY t.operation_id COLLATE "C", t.place LIMIT $3
        """,
        *(tenant_id, queue_id, most),
    )


async def is_content_free(connection: Session, tenant_id: str) -> bool:
    """Whether a tenant keeps no texts."""
    return bool(
        await connection.fetchval(
            "SELECT content_free FROM tenants WHERE tenant_id = $1", tenant_id
        )
    )
