"""SQL of the tests that events may concern."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared.delivery.postgres import Session

KEPT_AFTER_END = timedelta(days=30)
"""How long a test's events and units are kept; what comes later still, concerns it no more."""

Version = tuple[str, UUID, datetime]
"""Tenant, test, and when it was changed last."""


async def versions(
    connection: Session, tenants: Sequence[str], began_at: datetime
) -> list[Version]:
    """Tests of tenants that had begun, and not ended before an instant."""
    rows = await connection.fetch(
        """
        SELECT tenant_id, test_id, updated_at FROM ab_tests
         WHERE tenant_id = ANY($1) AND state <> 'draft'
           AND (ended_at IS NULL OR (ended_at > $2 AND ended_at > now() - $3::interval))
        """,
        tenants,
        began_at,
        KEPT_AFTER_END,
    )
    return [(row[0], row[1], row[2]) for row in rows]


async def bodies(connection: Session, tests: Sequence[UUID]) -> list[Any]:
    """Tests with their configuration and epochs, and what is known of the time before them."""
    return await connection.fetch(
        """
        SELECT t.tenant_id, t.test_id, t.body, t.state, t.epochs, t.started_at, t.ended_at,
               t.updated_at, s.marked_at, s.completed_at, s.has_units, s.tok_limit, s.cost_limit
          FROM ab_tests AS t LEFT JOIN ab_past_scans AS s USING (tenant_id, test_id)
         WHERE t.test_id = ANY($1) AND t.state <> 'draft'
        """,
        tests,
    )


async def steps(
    connection: Session, tests: Sequence[UUID]
) -> dict[tuple[str, UUID], list[tuple[datetime, str]]]:
    """When each test went into which state, oldest first."""
    rows = await connection.fetch(
        """
        SELECT tenant_id, test_id, occurred_at, state FROM ab_test_steps
         WHERE test_id = ANY($1) ORDER BY occurred_at, event_id
        """,
        tests,
    )
    found: dict[tuple[str, UUID], list[tuple[datetime, str]]] = {}
    for row in rows:
        found.setdefault((row[0], row[1]), []).append((row[2], row[3]))
    return found
