"""What streams tell of Postgres: only what changed since it was last seen."""

from collections.abc import Mapping
from datetime import timedelta

from services.gateway.domain.stream import Told, Version, alert_told, verdict_told
from services.gateway.queries import stream as queries
from services.gateway.store.sessions import Sessions

ENDED_TOLD_FOR = timedelta(days=7)
MOST_AT_ONCE = 1_000
"""Rows of a look; if there are more, the next look brings the others."""


class PostgresStream:
    """One transaction per look."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def changed(
        self, tenant_id: str, alerts: Mapping[str, Version], verdicts: Mapping[str, Version]
    ) -> list[Told]:
        """Alerts and tests of which another version was seen, or none."""
        async with self._sessions.reading(tenant_id) as connection:
            found = await queries.alerts(connection, tenant_id, alerts, MOST_AT_ONCE)
            tests = await queries.verdicts(
                connection, tenant_id, verdicts, ENDED_TOLD_FOR, MOST_AT_ONCE
            )
        return [*map(alert_told, found), *map(verdict_told, tests)]
