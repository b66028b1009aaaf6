"""SQL of operations that are not kept any more: what was made of them goes too."""

from datetime import datetime

from shared.delivery.postgres import Session


async def note_gone(connection: Session, tenant_id: str, before: datetime, most: int) -> int:
    """Have operations erased that are older and not stored any more; answers how many.

    A note does what an erasure of the operation does: votes, rows, rows of datasets, and what
    reviewers said. None is left while others of age are open, so that an erasure that somebody
    asked for waits for one portion at most.
    """
    rows = await connection.fetch(
        """
        WITH gone AS (
            SELECT o.tenant_id, o.operation_id FROM feedback_operations AS o
             WHERE o.tenant_id = $1 AND coalesce(o.occurred_at, o.first_at) < $2
               AND NOT EXISTS (SELECT FROM ai_model_operations AS s
                                WHERE s.tenant_id = o.tenant_id AND s.operation_id = o.operation_id
                                  AND s.occurred_at = o.occurred_at)
               AND NOT EXISTS (SELECT FROM erasure_due AS d
                                WHERE d.tenant_id = o.tenant_id AND d.service = 'feedback'
                                  AND d.erasure_id IS NULL AND d.what = 'operation')
             LIMIT $3)
        INSERT INTO erasure_due (tenant_id, service, what, operation_id, erased_before)
        SELECT g.tenant_id, s.service, 'operation', g.operation_id, $2
          FROM gone AS g, (VALUES ('feedback'), ('gateway')) AS s (service)
        RETURNING service
        """,
        *(tenant_id, before, most),
    )
    return len(rows) // 2
