"""What Postgres knows of alerts, and the copy of the rules that outlives its absence."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
from asyncpg import Pool

from services.metrics.domain.alerting import KeptRule
from services.metrics.domain.telling import Home, Kept
from services.metrics.queries import rules as queries
from services.metrics.queries.rules import Action, Rules
from shared import keys
from shared.delivery.redis import Client

AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class AlertRecord:
    """Rules, what people did, and alerts as they were last told."""

    def __init__(self, pool: Callable[[], Awaitable[Pool]], client: Client) -> None:
        self._pool = pool
        self._client = client

    async def rules(self) -> Rules:
        """Rules by tenant; while Postgres is away, those that were last known."""
        try:
            found = await queries.rules(await self._pool())
        except AWAY:
            return await self._remembered()
        rows = [
            (tenant_id, str(one.rule_id), one.rule.model_dump_json())
            for tenant_id, rules in found.items()
            for one in rules
        ]
        await self._client.set(keys.ALERT_RULES, json.dumps(rows))
        return found

    async def actions(self, since: datetime) -> Sequence[Action]:
        """What people did since then; nothing while Postgres is away: then nobody can."""
        try:
            return await queries.actions(await self._pool(), since)
        except AWAY:
            return ()

    async def live(self, known: Mapping[str, Sequence[KeptRule]]) -> dict[Home, Kept]:
        """Alerts that had not ended when they were last told."""
        return await queries.live_alerts(await self._pool(), known)

    async def _remembered(self) -> Rules:
        rows: Any = await self._client.get(keys.ALERT_RULES)
        return queries.parsed(map(tuple, json.loads(rows or "[]")))
