"""How long a tenant's data is kept, in Postgres."""

from collections.abc import Mapping
from typing import Any

from services.gateway.domain.audit import of_retention
from services.gateway.domain.retention import retention_view
from services.gateway.queries import objects
from services.gateway.queries import retention as queries
from services.gateway.store.sessions import Sessions
from shared.clock import Clock
from shared.delivery.postgres import Session
from shared.privacy.retention import CLASSES

Days = Mapping[str, int]


class PostgresRetention:
    """One transaction per question or change."""

    def __init__(self, sessions: Sessions, now: Clock) -> None:
        self._sessions = sessions
        self._now = now

    async def of(self, tenant_id: str) -> dict[str, Any]:
        """What holds."""
        async with self._sessions.reading(tenant_id) as connection:
            return await self._view(connection, tenant_id)

    async def put(self, tenant_id: str, days: Days, actor: str) -> dict[str, Any]:
        """Let these hold; what stays as it is counts as not touched."""
        async with self._sessions.writing(tenant_id) as connection:
            await objects.one_at_a_time(connection, tenant_id)
            before = await _days(connection, tenant_id)
            changed = {name: kept for name, kept in days.items() if before[name] != kept}
            if changed:
                await queries.put(connection, tenant_id, changed, actor)
                done = of_retention(tenant_id, before, {**before, **changed})
                await self._sessions.record(connection, tenant_id, done)
            return await self._view(connection, tenant_id)

    async def _view(self, connection: Session, tenant_id: str) -> dict[str, Any]:
        rows = await queries.changed(connection, tenant_id)
        return retention_view(rows, await queries.not_before(connection), self._now())


async def _days(connection: Session, tenant_id: str) -> dict[str, int]:
    given = {row["class"]: row["days"] for row in await queries.changed(connection, tenant_id)}
    return {name: given.get(name, one.default_days) for name, one in CLASSES.items()}
