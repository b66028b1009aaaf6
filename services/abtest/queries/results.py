"""SQL of what tests say, and of the steps that follow from it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared.delivery.postgres import Session

LOOKED_AT_AFTER_END = timedelta(days=1)
LOOKED_AT_EVERY = timedelta(seconds=2)

Row = Any


async def due(connection: Session, formula_version: str) -> list[Any]:
    """Tests that have begun and were never looked at, or not as they are by now."""
    return await connection.fetch(
        """
        SELECT t.tenant_id, t.test_id, r.computed_at
          FROM ab_tests AS t
          CROSS JOIN LATERAL (SELECT coalesce(sum(a.version), 0)::bigint AS version
                FROM ab_arms AS a
               WHERE a.tenant_id = t.tenant_id AND a.test_id = t.test_id) AS now_is
          LEFT JOIN (SELECT *, (memory -> 'seen' ->> 'version')::bigint AS version,
                            (memory -> 'seen' ->> 'changed_at')::timestamptz AS changed_at
                       FROM ab_results) AS r USING (tenant_id, test_id)
         WHERE t.state <> 'draft' AND (t.ended_at IS NULL OR t.ended_at > now() - $2::interval)
           AND (r.computed_at IS NULL OR (r.computed_at <= clock_timestamp() - $3::interval
                AND ((r.version, r.changed_at) IS DISTINCT FROM (now_is.version, t.updated_at)
                     OR r.body ->> 'formula_version' IS DISTINCT FROM $1)))
         ORDER BY r.computed_at NULLS FIRST, t.test_id
        """,
        formula_version,
        LOOKED_AT_AFTER_END,
        LOOKED_AT_EVERY,
    )


async def try_look(connection: Session, test_id: UUID) -> bool:
    """Whether nobody else looks at a test until the transaction ends."""
    return bool(
        await connection.fetchval(
            "SELECT pg_try_advisory_xact_lock(hashtext('assay.abtest-look' || $1))", str(test_id)
        )
    )


async def previous(connection: Session, tenant_id: str, test_id: UUID) -> Row | None:
    """What the last look left."""
    return await connection.fetchrow(
        """
        SELECT computed_at, as_of, verdict, body ->> 'winner' AS winner, memory
          FROM ab_results WHERE tenant_id = $1 AND test_id = $2 FOR UPDATE
        """,
        tenant_id,
        test_id,
    )


async def changed_at(connection: Session, tenant_id: str, test_id: UUID) -> datetime | None:
    """When a test was changed last."""
    found: datetime | None = await connection.fetchval(
        "SELECT updated_at FROM ab_tests WHERE tenant_id = $1 AND test_id = $2", tenant_id, test_id
    )
    return found


async def lock_test(connection: Session, tenant_id: str, test_id: UUID) -> None:
    """Nobody changes a test until the transaction ends; fails if somebody did since it began."""
    await connection.execute(
        "SELECT 1 FROM ab_tests WHERE tenant_id = $1 AND test_id = $2 FOR NO KEY UPDATE",
        tenant_id,
        test_id,
    )


async def steps(connection: Session, tenant_id: str, test_id: UUID) -> list[Any]:
    """A test's history, oldest first."""
    return await connection.fetch(
        """
        SELECT event_id, occurred_at, state, actor, body ->> 'verdict' AS verdict
          FROM ab_test_steps WHERE tenant_id = $1 AND test_id = $2 ORDER BY occurred_at, event_id
        """,
        tenant_id,
        test_id,
    )


async def insert_step(connection: Session, tenant_id: str, values: Sequence[Any]) -> None:
    """Keep a step that is to be told: event's id, test, time, state, reason and body."""
    await connection.execute(
        """
        INSERT INTO ab_test_steps (tenant_id, event_id, test_id, occurred_at, state, reason, body)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        tenant_id,
        *values,
    )


async def move(
    connection: Session,
    tenant_id: str,
    test_id: UUID,
    state: str,
    winner: str | None,
    ended_at: datetime | None,
) -> None:
    """Put a test into another state."""
    await connection.execute(
        """
        UPDATE ab_tests SET state = $3, winner = $4, ended_at = $5,
               updated_at = greatest(clock_timestamp(), updated_at + interval '1 us')
         WHERE tenant_id = $1 AND test_id = $2
        """,
        *(tenant_id, test_id, state, winner, ended_at),
    )


async def put(connection: Session, tenant_id: str, test_id: UUID, values: Sequence[Any]) -> None:
    """Put results in the place of those that were: as of when, verdict, body and memory."""
    await connection.execute(
        """
        INSERT INTO ab_results (tenant_id, test_id, as_of, verdict, body, memory, computed_at)
        VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp())
        ON CONFLICT (tenant_id, test_id) DO UPDATE
           SET as_of = excluded.as_of, verdict = excluded.verdict, body = excluded.body,
               memory = excluded.memory, computed_at = excluded.computed_at
        """,
        *(tenant_id, test_id, *values),
    )
