"""Feedback in sum, from Postgres: what an answer needs, as of one instant."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, NamedTuple

from asyncpg import QueryCanceledError, Record

from services.gateway.domain.analysis.asked import Asked
from services.gateway.domain.analysis.sums import ASPECTS, METRICS, Group, judged_of
from services.gateway.domain.problems import wrong_field
from services.gateway.queries import analysis as queries
from services.gateway.store.sessions import Sessions
from services.gateway.store.turns import Turns
from shared.delivery.postgres import Session

READ_AT_MOST_S = 10.0
TOO_MUCH = "so much feedback cannot be summed in time; take a shorter span or a filter"


class Summed(NamedTuple):
    """Groups with what else is said of them."""

    total: Group | None
    groups: list[Group]
    known: int
    """Number of all groups, those that are not told of too."""
    quality: Mapping[tuple[str | None, ...], tuple[int, float, float]]
    waiting: Mapping[str, Any]


class PostgresAnalysis:
    """One transaction per question."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._turns = Turns("sums of feedback")

    async def summed(self, tenant_id: str, by: str, asked: Asked, late: datetime) -> Summed:
        """Votes by a group, in all, and how many wait."""
        async with self._reading(tenant_id) as connection:
            rows = await queries.groups(connection, by, tenant_id, asked, with_comments=True)
            total = await queries.groups(connection, "all", tenant_id, asked, with_comments=True)
            quality = [
                row
                for one in ("all", by)
                for row in await queries.quality(connection, one, tenant_id, asked)
            ]
            waiting = await queries.waiting(connection, tenant_id, late)
        made = {tuple(row["key"]): (row["count"], row["total"], row["squares"]) for row in quality}
        return Summed(
            next(iter(_groups(total)), None),
            _groups(rows),
            rows[0]["groups"] if rows else 0,
            made,
            dict(waiting),
        )

    async def groups(
        self, tenant_id: str, by: Sequence[str], asked: Asked, border: datetime | None = None
    ) -> list[list[Group]]:
        """Votes by each of several groupings; `border` parts the weeks."""
        async with self._reading(tenant_id) as connection:
            return [
                _groups(
                    await queries.groups(
                        connection, one, tenant_id, asked, border if one == "week" else None
                    )
                )
                for one in by
            ]

    async def complaints(
        self, tenant_id: str, asked: Asked, most: int
    ) -> tuple[bool, list[Mapping[str, Any]]]:
        """Whether texts are kept, and negative votes with a comment, newest first."""
        async with self._reading(tenant_id) as connection:
            keeps = await queries.keeps_content(connection, tenant_id)
            rows = await queries.complaints(connection, tenant_id, asked, most)
        return keeps, [dict(row) for row in rows]

    async def circumstances(
        self, tenant_id: str, asked: Asked, late: datetime
    ) -> tuple[Mapping[tuple[str, str], int], Mapping[str, Any]]:
        """Operations by model and type, and what waits."""
        async with self._reading(tenant_id) as connection:
            rows = await queries.traffic(connection, tenant_id, asked)
            waiting = await queries.waiting(connection, tenant_id, late)
        traffic = {(row["model_id"], row["operation_type"]): row["operations"] for row in rows}
        return traffic, dict(waiting)

    @asynccontextmanager
    async def _reading(self, tenant_id: str) -> AsyncIterator[Session]:
        async with self._turns.turn(tenant_id), self._sessions.reading(tenant_id) as connection:
            deadline = asyncio.timeout(READ_AT_MOST_S)
            try:
                async with deadline:
                    yield connection
            except QueryCanceledError as error:  # here the statement timeout is no absent store
                raise wrong_field("from", TOO_MUCH) from error
            except TimeoutError as error:
                if deadline.expired():
                    raise wrong_field("from", TOO_MUCH) from error
                raise


def _groups(rows: Sequence[Record]) -> list[Group]:
    return [
        Group(
            tuple(row["key"]),
            row["count"],
            row["comments"],
            row["voters"],
            row["first_at"],
            {name: judged_of(row[name]) for name in METRICS},
            {name: row[f"told_{name}"] for name in ASPECTS},
        )
        for row in rows
    ]
