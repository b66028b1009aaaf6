"""SQL of feedback: as ingest stored it, beside what group `feedback` made of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from asyncpg import Record

from services.gateway.domain.cursor import Cursor
from shared.delivery.postgres import Session

EQUAL = {
    "model_id": "f.model_id",
    "agent_id": "o.agent_id",
    "user_pseudonym": "f.user_pseudonym",
    "operation_id": "f.operation_id",
    "source": "f.source",
    "environment": "f.environment",
    "operation_type": "f.operation_type",
    "variant": "f.variant",
    "rating": "f.rating",
}
ABSTAINED = "none"
READ = """
    SELECT f.event_id, f.occurred_at, f.operation_id, f.model_id, o.agent_id, f.environment,
           f.operation_type, f.variant, f.user_pseudonym, f.source, f.rating, f.helpful,
           f.accurate, f.relevant, f.fast, f.comment, f.correction, f.training_consent, f.metadata,
           a.helpful AS read_helpful, a.accurate AS read_accurate, a.relevant AS read_relevant,
           a.fast AS read_fast, a.from_comment, a.conflict, a.label, a.score, a.confidence,
           a.method, a.version, a.is_superseded, a.is_own_judge,
           (SELECT r.quality FROM model_training_data AS r
             WHERE r.tenant_id = f.tenant_id AND r.operation_id = f.operation_id
               AND r.kind = 'answer' AND r.state = 'ready'
               AND NOT EXISTS (SELECT FROM training_blocks AS b
                                WHERE b.tenant_id = r.tenant_id AND b.row_id = r.row_id)
             LIMIT 1) AS quality
      FROM user_feedback AS f
      LEFT JOIN feedback_analysis AS a
        ON (a.tenant_id, a.event_id, a.occurred_at) = (f.tenant_id, f.event_id, f.occurred_at)
      LEFT JOIN feedback_operations AS o
        ON (o.tenant_id, o.operation_id) = (f.tenant_id, f.operation_id)
"""


async def feedback(
    connection: Session,
    tenant_id: str,
    filters: Mapping[str, Any],
    after: Cursor | None,
    limit: int,
) -> Sequence[Record]:
    """Feedback, newest first; `filters` as `EQUAL`, and `label`, `has_comment`, `from`, `to`."""
    values: list[Any] = [tenant_id]
    found = ["f.tenant_id = $1"]

    def clause(text: str, *parameters: Any) -> None:
        places = [f"${len(values) + place}" for place in range(1, len(parameters) + 1)]
        values.extend(parameters)
        found.append(text.format(*places))

    for name, column in EQUAL.items():
        if filters.get(name) is not None:
            clause(f"{column} = {{}}", filters[name])
    if filters.get("label") == ABSTAINED:
        clause("a.method IS NOT NULL AND a.label IS NULL")
    elif filters.get("label") is not None:
        clause("a.label = {}", filters["label"])
    if filters.get("has_comment") is not None:
        clause("(coalesce(f.comment, '') <> '') = {}", filters["has_comment"])
    if filters.get("from") is not None:
        clause("f.occurred_at >= {}", filters["from"])
    if filters.get("to") is not None:
        clause("f.occurred_at < {}", filters["to"])
    if after is not None:
        clause("(f.occurred_at, f.event_id) < ({}, {})", *after)
    asked = f"""
        {READ} WHERE {" AND ".join(found)}
         ORDER BY f.occurred_at DESC, f.event_id DESC LIMIT ${len(values) + 1}
    """
    return await connection.fetch(asked, *values, limit)
