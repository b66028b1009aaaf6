"""Alert rules and alerts in Postgres, as people see and change them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from services.gateway.domain.alerts import Action, NameTakenError
from services.gateway.domain.audit import of_row
from services.gateway.domain.cursor import Cursor
from services.gateway.queries import alerts as queries
from services.gateway.queries import objects
from services.gateway.store.sessions import Sessions
from shared.alerts.rule import Filter

Row = asyncpg.Record


class PostgresAlerts:
    """One transaction per question or change."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def rules(self, tenant_id: str, after: Cursor | None, limit: int) -> Sequence[Row]:
        """Rules, newest first."""
        async with self._sessions.reading(tenant_id) as connection:
            return await objects.newest(connection, queries.RULES, tenant_id, after, limit)

    async def rule(self, tenant_id: str, rule_id: UUID) -> Row | None:
        """One rule."""
        async with self._sessions.reading(tenant_id) as connection:
            return await objects.one(connection, queries.RULES, tenant_id, rule_id)

    async def count_rules(self, tenant_id: str) -> int:
        """How many there are."""
        async with self._sessions.reading(tenant_id) as connection:
            return await queries.count_rules(connection, tenant_id)

    async def metrics_of_rules(self, tenant_id: str, rule_ids: Sequence[UUID]) -> dict[UUID, str]:
        """What these rules watch, by rule; those that are gone are left out."""
        if not rule_ids:
            return {}
        async with self._sessions.reading(tenant_id) as connection:
            rows = await queries.metrics_of_rules(connection, tenant_id, rule_ids)
        return {row["rule_id"]: row["metric"] for row in rows}

    async def anything_matches(self, tenant_id: str, wanted: Filter) -> bool:
        """Whether the tenant ever sent what a filter names."""
        async with self._sessions.reading(tenant_id) as connection:
            return await queries.anything_matches(connection, tenant_id, wanted)

    async def add_rule(self, tenant_id: str, rule_id: UUID, body: str, actor: str) -> Row:
        """Keep a new rule; raises `NameTakenError`."""
        try:
            async with self._sessions.writing(tenant_id) as connection:
                row = await queries.insert_rule(connection, tenant_id, rule_id, body, actor)
                made = of_row("alert_rule", "create", rule_id, after=row)
                await self._sessions.record(connection, tenant_id, made)
                return row
        except asyncpg.UniqueViolationError as error:
            raise NameTakenError from error

    async def replace_rule(self, tenant_id: str, rule_id: UUID, body: str) -> Row | None:
        """Put a rule in another's place; raises `NameTakenError`."""
        try:
            async with self._sessions.writing(tenant_id) as connection:
                before = await objects.locked(connection, queries.RULES, tenant_id, rule_id)
                row = await queries.replace_rule(connection, tenant_id, rule_id, body)
                if row is not None:
                    done = of_row("alert_rule", "replace", rule_id, before, row)
                    await self._sessions.record(connection, tenant_id, done)
                return row
        except asyncpg.UniqueViolationError as error:
            raise NameTakenError from error

    async def delete_rule(self, tenant_id: str, rule_id: UUID) -> bool:
        """Remove a rule; false when there is none."""
        return await self._sessions.remove(tenant_id, queries.RULES, "alert_rule", rule_id)

    async def alerts(
        self, tenant_id: str, filters: Mapping[str, Any], after: Cursor | None, limit: int
    ) -> Sequence[Row]:
        """Alerts, newest first."""
        async with self._sessions.reading(tenant_id) as connection:
            return await queries.alerts(connection, tenant_id, filters, after, limit)

    async def alert(self, tenant_id: str, alert_id: UUID) -> tuple[Row, Sequence[Row]] | None:
        """One alert and its history, of one instant."""
        async with self._sessions.reading(tenant_id) as connection:
            row = await queries.alert(connection, tenant_id, alert_id)
            if row is None:
                return None
            return row, await queries.steps(connection, tenant_id, alert_id)

    async def act(self, tenant_id: str, done: Action) -> None:
        """Keep what somebody did."""
        async with self._sessions.writing(tenant_id) as connection:
            await queries.insert_action(connection, tenant_id, done)
            before = await queries.alert(connection, tenant_id, done.alert_id)
            after = {"until": done.until, "note": done.note}
            told = of_row("alert", done.action, done.alert_id, before, after)
            await self._sessions.record(connection, tenant_id, told)
