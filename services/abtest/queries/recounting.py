"""SQL of recounts: a test's events by unit, and what is stored without any."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID

from services.abtest.domain.rows import Candidate
from shared.delivery.postgres import Session

_COLUMNS = ", ".join(Candidate._fields)


async def tests(connection: Session, kept_after_end: timedelta) -> list[tuple[str, UUID]]:
    """Tests that have begun, and not ended so long ago that their events may be gone."""
    rows = await connection.fetch(
        """
        SELECT tenant_id, test_id FROM ab_tests
         WHERE state <> 'draft' AND (ended_at IS NULL OR ended_at > now() - $1::interval)
         ORDER BY tenant_id, started_at, test_id
        """,
        kept_after_end,
    )
    return [(row[0], row[1]) for row in rows]


async def rows(
    connection: Session, tenant_id: str, test_id: UUID, at_once: int
) -> AsyncIterator[Candidate]:
    """All rows of a test, unit by unit."""
    statement = (
        f"SELECT {_COLUMNS} FROM ab_events WHERE tenant_id = $1 AND test_id = $2 ORDER BY unit"
    )
    async for row in connection.cursor(statement, tenant_id, test_id, prefetch=at_once):
        yield Candidate(*row)


async def units_without_events(connection: Session, tenant_id: str, test_id: UUID) -> list[str]:
    """Units that are said to have events, and have none."""
    found = await connection.fetch(
        """
        SELECT u.unit FROM ab_units AS u
         WHERE u.tenant_id = $1 AND u.test_id = $2 AND u.events <> 0
           AND NOT EXISTS (SELECT FROM ab_events AS e WHERE e.tenant_id = u.tenant_id
                              AND e.test_id = u.test_id AND e.unit = u.unit)
        """,
        tenant_id,
        test_id,
    )
    return [row["unit"] for row in found]


async def as_of(connection: Session, tenant_id: str, test_id: UUID) -> datetime | None:
    """When the latest counted event arrived."""
    found: datetime | None = await connection.fetchval(
        "SELECT max(as_of) FROM ab_arms WHERE tenant_id = $1 AND test_id = $2", tenant_id, test_id
    )
    return found
