"""SQL that erases what was said, and all that was made of it."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.feedback.queries.raters import ONE_NIGHT, Moved, stands_of
from shared.delivery.columns import columns_of
from shared.delivery.postgres import Session

_VOTES_OF = """
    DELETE FROM feedback_analysis AS a USING (
        SELECT tenant_id, event_id, occurred_at FROM feedback_analysis
         WHERE tenant_id = $1 AND user_pseudonym = $2 AND occurred_at < $3
           AND ($4::timestamptz IS NULL OR occurred_at >= $4) LIMIT $5) AS hers
     WHERE a.tenant_id = hers.tenant_id AND a.event_id = hers.event_id
       AND a.occurred_at = hers.occurred_at
    RETURNING a.operation_id, a.correction, a.consent, a.occurred_at
"""
_SAID = """
    DELETE FROM feedback_analysis
     WHERE tenant_id = $1 AND event_id = ANY($2) AND occurred_at < $3
    RETURNING operation_id, correction, consent, occurred_at
"""
# Notes of operations that are erased, and all that is kept of them but rows and sums.
_OF_OPERATIONS = (
    "DELETE FROM feedback_due WHERE tenant_id = $1 AND operation_id = ANY($2)",
    "DELETE FROM training_blocks WHERE tenant_id = $1 AND operation_id = ANY($2)",
    "DELETE FROM feedback_operations WHERE tenant_id = $1 AND operation_id = ANY($2)",
)


async def take_votes(
    connection: Session,
    of: tuple[str, str],
    span: tuple[datetime | None, datetime],
    most: int,
) -> Sequence[Any]:
    """Delete a portion of what a person said; answers each operation and correction."""
    since, before = span
    return await connection.fetch(_VOTES_OF, *of, before, since, most)


async def take_said(
    connection: Session, tenant_id: str, events: Sequence[UUID], before: datetime
) -> Sequence[Any]:
    """Delete single feedback; answers each operation and correction that was there."""
    return await connection.fetch(_SAID, tenant_id, events, before)


async def refuse(connection: Session, tenant_id: str, refused: Sequence[tuple[str, UUID]]) -> None:
    """Keep operations out of training for good: by operation, and what stands for all its rows."""
    await connection.execute(
        """
        INSERT INTO training_blocks (tenant_id, operation_id, row_id, blocked_by)
        SELECT $1, k.*, 'erasure' FROM unnest($2::text[], $3::uuid[]) AS k ON CONFLICT DO NOTHING
        """,
        *(tenant_id, *columns_of(sorted(refused), 2)),
    )


async def take_all_votes(
    connection: Session, tenant_id: str, operations: Sequence[str]
) -> Counter[str]:
    """Delete all that was said of operations; answers how much of each."""
    rows = await connection.fetch(
        "DELETE FROM feedback_analysis WHERE tenant_id = $1 AND operation_id = ANY($2)"
        " RETURNING operation_id",
        *(tenant_id, operations),
    )
    return Counter(row[0] for row in rows)


async def forget_operations(connection: Session, tenant_id: str, operations: Sequence[str]) -> None:
    """Forget operations, their notes and their blocks."""
    for statement in _OF_OPERATIONS:
        await connection.execute(statement, tenant_id, operations)


async def stands_told(
    connection: Session, tenant_id: str, operations: Sequence[str]
) -> list[Moved]:
    """What raters' sums know of operations, and what raters say now; ours from here on."""
    rows = await connection.fetch(
        "SELECT operation_id, told_stands, stands FROM feedback_operations"
        " WHERE tenant_id = $1 AND operation_id = ANY($2) ORDER BY operation_id FOR UPDATE",
        *(tenant_id, operations),
    )
    return [Moved(row[0], stands_of(row[1]), stands_of(row[2])) for row in rows]


async def told(connection: Session, tenant_id: str, operations: Sequence[str]) -> None:
    """The sums know what raters say now; of operations that nobody speaks of, nothing stays."""
    await connection.execute(
        "UPDATE feedback_operations SET told_stands = stands"
        " WHERE tenant_id = $1 AND operation_id = ANY($2)",
        *(tenant_id, operations),
    )
    await connection.execute(
        """
        DELETE FROM feedback_operations AS f
         WHERE tenant_id = $1 AND operation_id = ANY($2) AND stands = '[]'
           AND NOT EXISTS (SELECT FROM feedback_analysis AS a WHERE a.tenant_id = f.tenant_id
                              AND a.operation_id = f.operation_id)
        """,
        *(tenant_id, operations),
    )


async def still_due(connection: Session, tenant_id: str, operations: Sequence[str]) -> set[str]:
    """Those whose rows are still to be made anew."""
    rows = await connection.fetch(
        "SELECT DISTINCT operation_id FROM feedback_due"
        " WHERE tenant_id = $1 AND operation_id = ANY($2)",
        *(tenant_id, operations),
    )
    return {row[0] for row in rows}


async def is_freezing(connection: Session, tenant_id: str) -> bool:
    """Whether a dataset is being copied, perhaps from rows as they were before."""
    return bool(
        await connection.fetchval(
            "SELECT EXISTS (SELECT FROM datasets WHERE tenant_id = $1 AND state = 'freezing')",
            tenant_id,
        )
    )


async def forget_changes(
    connection: Session, tenant_id: str, operations: Sequence[str]
) -> set[str]:
    """Forget changes of operations that were told; answers of which some were not yet."""
    await connection.execute(
        "DELETE FROM training_changes"
        " WHERE tenant_id = $1 AND operation_id = ANY($2) AND published_at IS NOT NULL",
        *(tenant_id, operations),
    )
    rows = await connection.fetch(
        "SELECT DISTINCT operation_id FROM training_changes"
        " WHERE tenant_id = $1 AND operation_id = ANY($2)",
        *(tenant_id, operations),
    )
    return {row[0] for row in rows}


async def try_night(connection: Session) -> bool:
    """Whether nobody reckons raters until the transaction ends."""
    return bool(await connection.fetchval(ONE_NIGHT))


async def forget_rater(connection: Session, tenant_id: str, pseudonym: str) -> None:
    """Forget how reliable somebody was; who has spoken since is a new rater."""
    rater = f"user:{pseudonym}"
    await connection.execute(
        "DELETE FROM rater_reliability WHERE tenant_id = $1 AND rater = $2", tenant_id, rater
    )
    await connection.execute(
        """
        DELETE FROM rater_pairs WHERE tenant_id = $1 AND $2 IN (one, other)
           AND NOT EXISTS (SELECT FROM feedback_analysis
                            WHERE tenant_id = $1 AND user_pseudonym = $3)
        """,
        *(tenant_id, rater, pseudonym),
    )


async def note_again(connection: Session, notes: Collection[int], tenant_id: str) -> None:
    """Let notes that cannot be worked at yet come after the others."""
    await connection.execute(
        """
        WITH gone AS (
            DELETE FROM erasure_due WHERE tenant_id = $1 AND due_id = ANY($2) RETURNING *
        )
        INSERT INTO erasure_due (tenant_id, service, erasure_id, what, operation_id, event_id,
                                 row_id, replaced_by, with_unit, erased_before, seen_xid, done_once)
        SELECT tenant_id, service, erasure_id, what, operation_id, event_id, row_id, replaced_by,
               with_unit, erased_before, seen_xid, done_once FROM gone
        """,
        *(tenant_id, list(notes)),
    )
