"""A/B tests in Postgres: people's changes, and the copy that units are assigned by."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from pydantic_core import from_json

from services.gateway.domain.alerts import NameTakenError
from services.gateway.domain.assigning import ENDED_KNOWN_FOR
from services.gateway.domain.audit import of_test
from services.gateway.domain.cursor import Cursor
from services.gateway.domain.experiments import KeptTest, Seen, kept_test, stored_values
from services.gateway.domain.steps import Around, Step, results_of
from services.gateway.queries import experiments as queries
from services.gateway.queries import objects
from services.gateway.store.sessions import Sessions, set_tenant
from shared.delivery.postgres import Session

Row = asyncpg.Record
Decide = Callable[[KeptTest, Around], tuple[KeptTest, Step | None]]


class PostgresExperiments:
    """One transaction per question or change."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def tests(
        self, tenant_id: str, states: Sequence[str], after: Cursor | None, limit: int
    ) -> Sequence[Row]:
        """Tests in any of some states, else all, newest first."""
        async with self._sessions.reading(tenant_id) as connection:
            return await queries.newest(connection, tenant_id, states, after, limit)

    async def test(self, tenant_id: str, test_id: UUID) -> tuple[KeptTest, Sequence[Row]] | None:
        """One test and its history, of one instant."""
        async with self._sessions.reading(tenant_id) as connection:
            row = await objects.one(connection, queries.TESTS, tenant_id, test_id)
            if row is None:
                return None
            return kept_test(row), await queries.steps(connection, tenant_id, test_id)

    async def seen(self, tenant_id: str, of: UUID | str) -> Seen | None:
        """A test by its id or key, and its results, of one instant."""
        async with self._sessions.reading(tenant_id) as connection:
            if isinstance(of, UUID):
                row = await objects.one(connection, queries.TESTS, tenant_id, of)
            else:
                row = await queries.by_key(connection, tenant_id, of)
            if row is None:
                return None
            test = kept_test(row)
            found = await queries.results(connection, tenant_id, test.test_id)
        return Seen(test, from_json(found["body"]), found["as_of"]) if found else Seen(test)

    async def history(
        self, tenant_id: str, test_id: UUID, metric: str | None, since: datetime | None
    ) -> tuple[KeptTest, Sequence[Row]] | None:
        """A test and what its results said over time, of one instant."""
        async with self._sessions.reading(tenant_id) as connection:
            row = await objects.one(connection, queries.TESTS, tenant_id, test_id)
            if row is None:
                return None
            found = await queries.history(connection, tenant_id, test_id, metric, since)
            return kept_test(row), found

    async def add(self, tenant_id: str, values: Sequence[Any], most: int) -> KeptTest | None:
        """Keep a draft, unless there are enough open tests; raises `NameTakenError`."""
        try:
            async with self._sessions.writing(tenant_id) as connection:
                await objects.one_at_a_time(connection, tenant_id)
                if await queries.count_open(connection, tenant_id) >= most:
                    return None
                made = kept_test(await queries.insert(connection, tenant_id, values))
                await self._sessions.record(connection, tenant_id, of_test(None, made))
                return made
        except asyncpg.UniqueViolationError as error:
            raise NameTakenError from error

    async def change(self, tenant_id: str, test_id: UUID, decide: Decide) -> KeptTest | None:
        """Put what `decide` makes of a test in its place, and keep the step if it is one.

        Whoever changes a test of this tenant meanwhile waits, abtest at the test's row. `None`
        when there is no such test.
        """
        try:
            async with self._sessions.writing(tenant_id) as connection:
                await objects.one_at_a_time(connection, tenant_id)
                row = await queries.locked(connection, tenant_id, test_id)
                if row is None:
                    return None
                before = kept_test(row)
                after, step = decide(before, await _around(connection, before))
                values = stored_values(after)
                changed = kept_test(await queries.update(connection, tenant_id, test_id, values))
                if step is not None:
                    await queries.insert_step(connection, tenant_id, step)
                await self._sessions.record(connection, tenant_id, of_test(before, changed))
                return changed
        except asyncpg.UniqueViolationError as error:
            raise NameTakenError from error

    async def changed(self, since: datetime | None) -> Sequence[Row]:
        """Tests of all tenants that were changed since then, or all; none that ended long ago."""
        async with self._sessions.connected() as connection:
            return await queries.changed(connection, since, ENDED_KNOWN_FOR)

    @asynccontextmanager
    async def relaying(self, most: int) -> AsyncIterator["Relay"]:
        """Steps of all tenants to tell, unless another gateway is at it; what is told is marked."""
        async with self._sessions.connected() as connection, connection.transaction():
            is_ours = await queries.try_relay_lock(connection)
            steps = await queries.untold(connection, most) if is_ours else []
            yield Relay(connection, steps)


async def _around(connection: Session, test: KeptTest) -> Around:
    """Of after the test was locked: statements that began before do not see what was waited for."""
    key, group = (test.tenant_id, test.test_id), test.config.exclusion_group
    rows = await queries.others_of_group(connection, *key, group) if group is not None else []
    last_step = await queries.last_step(connection, *key)
    found = await queries.results(connection, *key)
    return Around(
        [kept_test(one) for one in rows], last_step, results_of(found["body"] if found else None)
    )


class Relay(NamedTuple):
    """Steps that are to be told, oldest first."""

    connection: Session
    steps: Sequence[Row]

    async def told(self, tenant_id: str, events: Sequence[UUID]) -> None:
        """The broker has these."""
        await set_tenant(self.connection, tenant_id)
        await queries.mark_told(self.connection, tenant_id, events)

    async def refused(self, tenant_id: str, event_id: UUID, why: str) -> None:
        """No broker will ever take this one."""
        await set_tenant(self.connection, tenant_id)
        await queries.mark_refused(self.connection, tenant_id, event_id, why)
