"""SQL of what was said."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.feedback.domain.said import Said, feedback_of
from services.feedback.domain.votes import Feedback, Identity
from shared.delivery.columns import columns_of, stage
from shared.delivery.postgres import Session

OperationKey = tuple[str, str]
"""Tenant and operation_id."""
Mark = Literal["is_superseded", "is_own_judge"]
"""A later vote took its place, which never changes; a model's word on itself."""

_TYPES = {
    **dict.fromkeys(Said._fields, "text"),
    "event_id": "uuid",
    "occurred_at": "timestamptz",
    "rating": "smallint",
    **dict.fromkeys(("helpful", "accurate", "relevant", "fast"), "boolean"),
    **dict.fromkeys(("from_comment", "conflict"), "text[]"),
    **dict.fromkeys(("score", "confidence"), "float8"),
    **dict.fromkeys(("is_corrected", "consent"), "boolean"),
}
_COLUMNS = ", ".join(Said._fields)
# In the order of keys, so that two processes with the same events never wait in a circle.
_INSERT = f"""
    INSERT INTO feedback_analysis ({_COLUMNS})
    SELECT {_COLUMNS} FROM pg_temp.staged_feedback_analysis
     ORDER BY tenant_id, event_id, occurred_at
    ON CONFLICT (tenant_id, event_id, occurred_at) DO NOTHING
    RETURNING tenant_id, operation_id
"""


async def content_free(connection: Session, tenants: Sequence[str]) -> dict[str, bool]:
    """Those of some tenants that there are, and whether they keep no content."""
    rows = await connection.fetch(
        "SELECT tenant_id, content_free FROM tenants WHERE tenant_id = ANY($1)", tenants
    )
    return {row[0]: row[1] for row in rows}


async def insert(connection: Session, rows: Collection[Said]) -> list[OperationKey]:
    """Keep what was said, the first of each identity; answers the operation of each new one."""
    first: dict[tuple[str, UUID, datetime], Said] = {}
    for row in rows:
        first.setdefault((row.tenant_id, row.event_id, row.occurred_at), row)
    await stage(connection, "staged_feedback_analysis", _TYPES, first.values())
    return [(row[0], row[1]) for row in await connection.fetch(_INSERT)]


async def of_operations(
    connection: Session, keys: Sequence[OperationKey]
) -> dict[OperationKey, list[Feedback]]:
    """All that was said of some operations."""
    rows = await connection.fetch(
        """
        SELECT a.* FROM unnest($1::text[], $2::text[]) AS k (tenant_id, operation_id)
          JOIN feedback_analysis AS a
            ON a.tenant_id = k.tenant_id AND a.operation_id = k.operation_id
        """,
        *columns_of(keys, 2),
    )
    found: dict[OperationKey, list[Feedback]] = defaultdict(list)
    for row in rows:
        found[row["tenant_id"], row["operation_id"]].append(feedback_of(row))
    return found


async def mark(
    connection: Session, column: Mark, said: Mapping[OperationKey, Mapping[Identity, bool]]
) -> None:
    """Mark or unmark feedback of operations, where that changes anything."""
    rows = [(key[0], *one, holds) for key, all_ in said.items() for one, holds in all_.items()]
    await connection.execute(
        f"""
        UPDATE feedback_analysis AS a SET {column} = k.holds
          FROM unnest($1::text[], $2::timestamptz[], $3::uuid[], $4::boolean[])
            AS k (tenant_id, at, event_id, holds)
         WHERE a.tenant_id = k.tenant_id AND a.event_id = k.event_id AND a.occurred_at = k.at
           AND a.{column} <> k.holds
        """,
        *columns_of(rows, 4),
    )
