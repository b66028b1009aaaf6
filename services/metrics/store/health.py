"""What Postgres knows of health, and the copy of the limits that outlives its absence."""

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import asyncpg
import structlog
from asyncpg import Pool
from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from services.metrics.domain.status import Part, StatusChange
from services.metrics.queries import statuses as queries
from services.metrics.store.record import AWAY
from shared import keys
from shared.delivery.redis import Client
from shared.health.judging import states_of
from shared.health.limits import LimitsBook, LimitsRow
from shared.health.settling import Held
from shared.views import Health, MeasureStatus

UNWRITABLE = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)

log = structlog.get_logger()

_MEASURES = TypeAdapter(list[MeasureStatus])


class HealthRecord:
    """Limits, and the history of statuses."""

    def __init__(self, pool: Callable[[], Awaitable[Pool]], client: Client) -> None:
        self._pool = pool
        self._client = client
        self._rows: list[LimitsRow] | None = None
        self._book = LimitsBook()

    async def limits(self) -> LimitsBook:
        """All limits, the same object while they are the same."""
        rows = await self._rows_now()
        if rows != self._rows:
            self._rows, self._book = rows, LimitsBook(rows)
        return self._book

    async def last(self, parts: Sequence[Part]) -> dict[Part, Held]:
        """How parts were when that was last told."""
        if not parts:
            return {}
        found = {}
        for row in await queries.last_changes(await self._pool(), parts):
            try:
                states = states_of(_MEASURES.validate_json(row["measures"]))
                held = Held(
                    Health(row["status"]),
                    row["at"].timestamp(),
                    tuple(from_json(row["reasons"])),
                    states,
                )
            except ValueError as error:
                log.error("status_unreadable", where="postgres", why=repr(error)[:300])
                continue
            found[Part(*row[:4])] = held
        return found

    async def write(self, changes: Sequence[bytes]) -> None:
        """Add changes to the history; one that can never be written must not hold up the others."""
        told = []
        for one in changes:
            try:
                told.append(StatusChange.model_validate_json(one))
            except ValidationError as error:
                log.error("status_unreadable", where="outbox", why=repr(error)[:300])
        pool = await self._pool()
        try:
            await queries.insert_changes(pool, told)
        except UNWRITABLE:
            for change in told:
                try:
                    await queries.insert_changes(pool, [change])
                except UNWRITABLE as error:
                    log.error("status_unwritable", why=repr(error)[:300])

    async def _rows_now(self) -> list[LimitsRow]:
        """Those in Postgres; while it is away, those that were last known."""
        try:
            rows = await queries.limits(await self._pool())
        except AWAY:
            return await self._remembered()
        # Also when nothing changed: Redis may have lost it.
        await self._client.set(keys.HEALTH_LIMITS, json.dumps(rows))
        return rows

    async def _remembered(self) -> list[LimitsRow]:
        rows: Any = await self._client.get(keys.HEALTH_LIMITS)
        if rows is None:
            # With the limits that nobody gave, every status might change.
            raise RuntimeError("no limits of health are known; Postgres is away")
        return [tuple(row) for row in json.loads(rows)]
