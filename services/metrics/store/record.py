"""What Postgres knows of alerts, and the copy of the rules that outlives its absence."""

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import asyncpg
from asyncpg import Pool

from services.metrics.domain.alerting import RuleBook
from services.metrics.domain.telling import Home, Kept
from services.metrics.queries import rules as queries
from services.metrics.queries.rules import Action, RuleRow
from shared import keys
from shared.delivery.redis import Client

AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class AlertRecord:
    """Rules, what people did, and alerts as they were last told."""

    def __init__(self, pool: Callable[[], Awaitable[Pool]], client: Client) -> None:
        self._pool = pool
        self._client = client
        self._rows: list[RuleRow] | None = None
        self._book = RuleBook({})

    async def rules(self) -> RuleBook:
        """Rules by tenant; while Postgres is away, those that were last known."""
        try:
            rows = await queries.rules(await self._pool())
        except AWAY:
            return queries.parsed(await self._remembered())
        # Also when nothing changed: Redis may have lost it.
        await self._client.set(keys.ALERT_RULES, json.dumps(rows))
        if rows != self._rows:
            self._rows, self._book = rows, queries.parsed(rows)
        return self._book

    async def actions(self) -> Sequence[Action]:
        """What people did to alerts that live; nothing while Postgres is away: then nobody can."""
        try:
            return await queries.actions(await self._pool())
        except AWAY:
            return ()

    async def live(self, known: RuleBook) -> list[tuple[Home, Kept]]:
        """Alerts that had not ended when they were last told."""
        return await queries.live_alerts(await self._pool(), known)

    async def _remembered(self) -> list[RuleRow]:
        rows: Any = await self._client.get(keys.ALERT_RULES)
        if rows is None:
            # "No rules" would end every alert.
            raise RuntimeError("no alert rules are known; Postgres is away")
        return [tuple(row) for row in json.loads(rows)]
