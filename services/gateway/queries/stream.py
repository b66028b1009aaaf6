"""SQL of streams: alerts and tests of a tenant that are not as they were when last seen."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from asyncpg import Record

from services.gateway.domain.stream import Version
from services.gateway.queries.alerts import ALERT
from shared.delivery.postgres import Session

Row = Record


async def alerts(
    connection: Session, tenant_id: str, seen: Mapping[str, Version], most: int
) -> Sequence[Row]:
    """Alerts that live and changed, newest first, and those seen that were resolved since."""
    return await connection.fetch(
        f"""
        (SELECT {ALERT}, step, stepped_at FROM performance_alerts AS one
          WHERE tenant_id = $1 AND state <> 'resolved' AND NOT EXISTS (
                SELECT FROM unnest($2::uuid[], $3::integer[], $4::timestamptz[])
                         AS seen (id, step, stepped_at)
                 WHERE seen.id = one.alert_id AND seen.step = one.step
                   AND seen.stepped_at = one.stepped_at)
          ORDER BY started_at DESC, alert_id DESC LIMIT $5)
        UNION ALL
        SELECT {ALERT}, step, stepped_at FROM performance_alerts
         WHERE tenant_id = $1 AND state = 'resolved' AND alert_id = ANY($2)
        """,
        *(tenant_id, list(seen), *_columns(seen), most),
    )


async def verdicts(
    connection: Session, tenant_id: str, seen: Mapping[str, Version], kept: timedelta, most: int
) -> Sequence[Row]:
    """Tests that run, are paused or ended lately, and that or whose results changed."""
    return await connection.fetch(
        """
        SELECT test_id, test.key, test.body ->> 'name' AS name, test.body -> 'variants' AS variants,
               test.state, test.winner, test.updated_at, found.verdict, found.as_of,
               found.body ->> 'winner' AS leader, found.body -> 'days_left' AS days_left,
               found.body ->> 'recommendation' AS recommendation,
               coalesce(found.computed_at, test.updated_at) AS computed_at
          FROM ab_tests AS test LEFT JOIN ab_results AS found USING (tenant_id, test_id)
         WHERE tenant_id = $1
           AND (test.state IN ('running', 'paused') OR test.ended_at > now() - $5::interval)
           AND NOT EXISTS (
               SELECT FROM unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[])
                        AS seen (id, updated_at, computed_at)
                WHERE seen.id = test_id AND seen.updated_at = test.updated_at
                  AND seen.computed_at = coalesce(found.computed_at, test.updated_at))
         ORDER BY test.created_at DESC, test_id DESC LIMIT $6
        """,
        *(tenant_id, list(seen), *_columns(seen), kept, most),
    )


def _columns(seen: Mapping[str, Version]) -> tuple[list[object], list[object]]:
    return [one[0] for one in seen.values()], [one[1] for one in seen.values()]
