"""SQL of A/B tests and the steps of their lives."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from asyncpg import Record

from services.gateway.domain.cursor import Cursor
from services.gateway.queries.objects import Table
from shared.delivery.postgres import Session

TEST = """
    tenant_id, test_id, body, state, epochs, winner, created_at, created_by, updated_at, started_at,
    ended_at
"""
# What its results say by now, of whoever reads or changes it; nobody waits for their writer.
SHOWN = f"""
    {TEST},
    (SELECT r.verdict FROM ab_results AS r
      WHERE r.tenant_id = ab_tests.tenant_id AND r.test_id = ab_tests.test_id) AS verdict,
    (SELECT r.body ->> 'winner' FROM ab_results AS r
      WHERE r.tenant_id = ab_tests.tenant_id AND r.test_id = ab_tests.test_id) AS leader
"""
TESTS = Table("ab_tests", "test_id", SHOWN)

WITHIN_S = 5.0
"""Where no tenant is set, nor with it the statement timeout."""

Row = Record


async def newest(
    connection: Session,
    tenant_id: str,
    states: Sequence[str],
    after: Cursor | None,
    limit: int,
) -> Sequence[Row]:
    """A tenant's tests in any of some states, newest first; without states, all."""
    return await connection.fetch(
        f"""
        SELECT {SHOWN} FROM ab_tests
         WHERE tenant_id = $1 AND (cardinality($2::text[]) = 0 OR state = ANY($2))
           AND ($3::timestamptz IS NULL OR (created_at, test_id) < ($3, $4::uuid))
         ORDER BY created_at DESC, test_id DESC LIMIT $5
        """,
        *(tenant_id, states, *(after or (None, None)), limit),
    )


async def locked(connection: Session, tenant_id: str, test_id: UUID) -> Row | None:
    """One test, which nobody else changes until the transaction ends."""
    return await connection.fetchrow(
        f"SELECT {SHOWN} FROM ab_tests WHERE tenant_id = $1 AND test_id = $2 FOR UPDATE",
        tenant_id,
        test_id,
    )


async def last_step(connection: Session, tenant_id: str, test_id: UUID) -> datetime | None:
    """When the last step of a test's life was taken."""
    found: datetime | None = await connection.fetchval(
        "SELECT max(occurred_at) FROM ab_test_steps WHERE tenant_id = $1 AND test_id = $2",
        tenant_id,
        test_id,
    )
    return found


async def count_open(connection: Session, tenant_id: str) -> int:
    """How many tests of a tenant have not ended."""
    count = await connection.fetchval(
        "SELECT count(*) FROM ab_tests"
        " WHERE tenant_id = $1 AND state IN ('draft', 'running', 'paused')",
        tenant_id,
    )
    return int(count)


async def others_of_group(
    connection: Session, tenant_id: str, test_id: UUID, group: str
) -> Sequence[Row]:
    """Tests of an exclusion group that hold units, but for one."""
    return await connection.fetch(
        f"""
        SELECT {TEST} FROM ab_tests
         WHERE tenant_id = $1 AND test_id <> $2 AND state IN ('running', 'paused')
           AND body ->> 'exclusion_group' = $3
        """,
        tenant_id,
        test_id,
        group,
    )


async def insert(connection: Session, tenant_id: str, values: Sequence[Any]) -> Row:
    """Keep a draft: its id, key, body and maker; a key that is taken violates a constraint."""
    row = await connection.fetchrow(
        f"""
        INSERT INTO ab_tests (tenant_id, test_id, key, body, state, epochs, created_by)
        VALUES ($1, $2, $3, $4, 'draft', '[]', $5) RETURNING {SHOWN}
        """,
        tenant_id,
        *values,
    )
    assert row is not None  # noqa: S101 - an insert returns its row
    return row


async def update(connection: Session, tenant_id: str, test_id: UUID, values: Sequence[Any]) -> Row:
    """Put key, body, state, epochs, start and end in the place of those that were."""
    row = await connection.fetchrow(
        f"""
        UPDATE ab_tests SET key = $3, body = $4, state = $5, epochs = $6, started_at = $7,
                            ended_at = $8,
               updated_at = greatest(clock_timestamp(), updated_at + interval '1 us')
         WHERE tenant_id = $1 AND test_id = $2 RETURNING {SHOWN}
        """,
        tenant_id,
        test_id,
        *values,
    )
    assert row is not None  # noqa: S101 - the row is locked by this transaction
    return row


async def insert_step(connection: Session, tenant_id: str, values: Sequence[Any]) -> None:
    """Keep a step that is to be told: event's id, test, time, state, actor, reason and body."""
    await connection.execute(
        """
        INSERT INTO ab_test_steps
            (tenant_id, event_id, test_id, occurred_at, state, actor, reason, body)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """,
        tenant_id,
        *values,
    )


async def steps(connection: Session, tenant_id: str, test_id: UUID) -> Sequence[Row]:
    """A test's history, oldest first."""
    return await connection.fetch(
        """
        SELECT state, occurred_at AS at, actor, reason FROM ab_test_steps
         WHERE tenant_id = $1 AND test_id = $2 ORDER BY occurred_at, event_id
        """,
        tenant_id,
        test_id,
    )


async def by_key(connection: Session, tenant_id: str, key: str) -> Row | None:
    """One test by its key."""
    return await connection.fetchrow(
        f"SELECT {SHOWN} FROM ab_tests WHERE tenant_id = $1 AND key = $2", tenant_id, key
    )


async def results(connection: Session, tenant_id: str, test_id: UUID) -> Row | None:
    """What was computed of a test last: the answer's body, and up to when it holds."""
    return await connection.fetchrow(
        "SELECT body, as_of FROM ab_results WHERE tenant_id = $1 AND test_id = $2",
        tenant_id,
        test_id,
    )


async def history(
    connection: Session,
    tenant_id: str,
    test_id: UUID,
    metric: str | None,
    since: datetime | None,
) -> Sequence[Row]:
    """What results said, oldest first; the first that excluded zero also from before `since`."""
    return await connection.fetch(
        """
        SELECT at, metric, variant, is_first, units, difference, low, high FROM ab_results_history
         WHERE tenant_id = $1 AND test_id = $2 AND ($3::text IS NULL OR metric = $3)
           AND ($4::timestamptz IS NULL OR at >= $4 OR is_first)
         ORDER BY at, is_first DESC
        """,
        *(tenant_id, test_id, metric, since),
    )


async def changed(
    connection: Session, since: datetime | None, kept_for: timedelta
) -> Sequence[Row]:
    """Tests of all tenants that were changed since then, or all, but those that ended before."""
    asked = f"SELECT {TEST} FROM assigning_ab_tests($1, $2)"
    return await connection.fetch(asked, since, kept_for, timeout=WITHIN_S)


async def try_relay_lock(connection: Session) -> bool:
    """Whether no other gateway tells steps right now; held until the transaction ends."""
    return bool(
        await connection.fetchval(
            "SELECT pg_try_advisory_xact_lock(hashtext('assay.experiment-steps'))"
        )
    )


async def untold(connection: Session, most: int) -> Sequence[Row]:
    """Steps of all tenants that are to be told, oldest first."""
    asked = "SELECT * FROM untold_ab_test_steps($1)"
    return await connection.fetch(asked, most, timeout=WITHIN_S)


async def mark_refused(connection: Session, tenant_id: str, event_id: UUID, why: str) -> None:
    """A step that nobody can be told of."""
    await connection.execute(
        "UPDATE ab_test_steps SET refusal = $3 WHERE tenant_id = $1 AND event_id = $2",
        *(tenant_id, event_id, why),
    )


async def mark_told(connection: Session, tenant_id: str, events: Sequence[UUID]) -> None:
    """Steps that the broker has."""
    await connection.execute(
        """
        UPDATE ab_test_steps SET published_at = now()
         WHERE tenant_id = $1 AND event_id = ANY($2) AND published_at IS NULL
        """,
        tenant_id,
        events,
    )
