"""Limits of health in Postgres, and what became of models."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import asyncpg

from services.gateway.domain.audit import of_limits
from services.gateway.domain.cursor import Cursor
from services.gateway.domain.health import HistoryFilters, Part
from services.gateway.queries import health as queries
from services.gateway.queries import objects
from services.gateway.queries.reading import model_exists
from services.gateway.store.sessions import Sessions
from shared.health.limits import OF_TENANT, LimitsBook
from shared.views import Health

Row = asyncpg.Record


class PostgresHealth:
    """One transaction per question or change."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def book(self, tenant_id: str, model_id: str | None) -> LimitsBook:
        """The limits of a tenant and of one of its models, or of all."""
        async with self._sessions.reading(tenant_id) as connection:
            rows = await queries.limits(connection, tenant_id, model_id)
        return LimitsBook((tenant_id, row["model_id"], row["body"]) for row in rows)

    async def limits(self, tenant_id: str, model_id: str) -> Mapping[str, Row]:
        """What was given for a tenant and a model, by model."""
        async with self._sessions.reading(tenant_id) as connection:
            rows = await queries.limits(connection, tenant_id, model_id)
        return {row["model_id"]: row for row in rows}

    async def put_limits(
        self, tenant_id: str, model_id: str, body: str, actor: str, most: int
    ) -> Mapping[str, Row] | None:
        """Keep limits, unless so many models have their own; answers as `limits` does."""
        async with self._sessions.writing(tenant_id) as connection:
            await objects.one_at_a_time(connection, tenant_id)
            if model_id != OF_TENANT:
                others = await queries.count_others(connection, tenant_id, model_id)
                if others >= most:
                    return None
            before = await queries.limits(connection, tenant_id, model_id)
            await queries.put_limits(connection, tenant_id, model_id, body, actor)
            rows = await queries.limits(connection, tenant_id, model_id)
            done = of_limits("put", model_id, before, body)
            await self._sessions.record(connection, tenant_id, done)
        return {row["model_id"]: row for row in rows}

    async def remove_limits(self, tenant_id: str, model_id: str) -> bool:
        """Forget limits; false when there are none."""
        async with self._sessions.writing(tenant_id) as connection:
            await objects.one_at_a_time(connection, tenant_id)  # what is told is what was removed
            before = await queries.limits(connection, tenant_id, model_id)
            if not await queries.remove_limits(connection, tenant_id, model_id):
                return False
            done = of_limits("delete", model_id, before, None)
            await self._sessions.record(connection, tenant_id, done)
            return True

    async def changes(
        self,
        tenant_id: str,
        model_id: str,
        asked: HistoryFilters,
        after: Cursor | None,
        limit: int,
    ) -> Sequence[Row] | None:
        """Changes of status, newest first; `None` when nothing of the model was ever seen."""
        async with self._sessions.reading(tenant_id) as connection:
            of = tenant_id, model_id
            rows = await queries.changes(connection, of, asked, after, limit)
            known = rows or await queries.has_changed(connection, *of)
            return rows if known or await model_exists(connection, *of) else None

    async def last_changes(
        self, tenant_id: str, model_id: str, parts: Sequence[Part]
    ) -> dict[Part, tuple[Health, datetime]]:
        """The status that each of a model's parts entered last, and when."""
        async with self._sessions.reading(tenant_id) as connection:
            rows = await queries.last_changes(connection, tenant_id, model_id, parts)
        return {
            Part(row["environment"], row["operation_type"]): (Health(row["status"]), row["at"])
            for row in rows
        }
