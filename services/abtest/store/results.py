"""What tests say, in Postgres: one look is one transaction that sees one instant."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import (
    AdminShutdownError,
    CannotConnectNowError,
    CrashShutdownError,
    LockNotAvailableError,
    Pool,
    PostgresConnectionError,
    SerializationError,
)
from pydantic_core import to_json

from services.abtest.domain.memory import Memory
from services.abtest.domain.state import TestState
from services.abtest.domain.steering import Before, ChangedError, Due, PastStep, Step
from services.abtest.queries import results as queries
from services.abtest.store.history import keep_history
from services.abtest.store.states import PostgresStates
from shared.delivery.faults import FAULTS
from shared.delivery.postgres import LIMITS, Session
from shared.experiments.lifecycle import ENDED, State
from shared.experiments.results import ResultsAnswer

# A step may be read, and told, before the server has it on its disk: a step that was told lasts.
LASTING = "SET LOCAL synchronous_commit = on"

AWAY = (AdminShutdownError, CannotConnectNowError, CrashShutdownError, PostgresConnectionError)


class PostgresLook:
    """A look that has begun; it holds when its transaction is committed."""

    def __init__(
        self,
        connection: Session,
        state: TestState,
        before: Before,
        changed_at: datetime,
        last_as_of: datetime | None,
    ) -> None:
        self._connection = connection
        self._last_as_of = last_as_of
        self._changed_at = changed_at
        self.state = state
        self.before = before
        self.has_step = False

    @property
    def _key(self) -> tuple[str, UUID]:
        return self.state.tenant_id, self.state.test_id

    async def steps(self) -> Sequence[PastStep]:
        """The test's history, oldest first; from now on nobody else changes the test.

        A person's pause that was made meanwhile must not be followed by a step that says "running".
        """
        await queries.lock_test(self._connection, *self._key)
        return [PastStep(*row) for row in await queries.steps(self._connection, *self._key)]

    async def take(self, step: Step, winner: str | None) -> None:
        """Keep a step that is to be told, and move the test where it leads."""
        self.has_step = True
        await self._connection.execute(LASTING)
        await queries.insert_step(self._connection, self.state.tenant_id, step)
        if step.state is not self.state.state:
            ended_at = step.occurred_at if step.state in ENDED else None
            served = winner if step.state is State.CONCLUDED else None
            await queries.move(self._connection, *self._key, step.state, served, ended_at)

    async def keep(self, answer: ResultsAnswer, memory: Memory) -> None:
        """Put results in the place of those that were, and what they say over time beside it."""
        seen = {"version": self.state.version, "changed_at": self._changed_at}
        kept = to_json(memory.model_dump(mode="json") | {"seen": seen}).decode()
        body = answer.model_dump_json()
        values = [answer.as_of, answer.verdict, body, kept]
        await queries.put(self._connection, *self._key, values)
        await keep_history(self._connection, self.state, answer, self._last_as_of)


class PostgresResults:
    """Tests that are due, and looks at them."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._states = PostgresStates(pool)

    async def due(self, formula_version: str) -> Sequence[Due]:
        """Tests that are to be looked at, those first that wait longest."""
        async with self._pool.acquire() as connection:
            return [Due(*row) for row in await queries.due(connection, formula_version)]

    @asynccontextmanager
    async def looking(self, due: Due) -> AsyncIterator[PostgresLook | None]:
        """One look; `None` when another process is at it, or was.

        Raises `ChangedError`, and `OSError` while the server is away.
        """
        try:
            async with self._pool.acquire() as connection:
                # One instant for sums, steps and state: whatever is changed after it by others,
                # and here too, makes the look fail.
                async with connection.transaction(isolation="repeatable_read"):
                    await connection.execute(LIMITS)
                    look = await self._begun(connection, due)
                    yield look
                    _reach("verdicts.before_commit", look)
                _reach("verdicts.after_commit", look)
        except (SerializationError, LockNotAvailableError) as error:
            raise ChangedError from error
        except AWAY as error:
            raise ConnectionError(str(error)) from error

    async def _begun(self, connection: Session, due: Due) -> PostgresLook | None:
        key = due.tenant_id, due.test_id
        if not await queries.try_look(connection, due.test_id):
            return None
        row = await queries.previous(connection, *key)
        if (row["computed_at"] if row else None) != due.looked_at:
            return None
        changed_at = await queries.changed_at(connection, *key)
        state = await self._states.read(connection, *key)
        if changed_at is None or state is None:
            raise ValueError("there is no such test, or a newer release wrote it")
        last_as_of = row["as_of"] if row else None
        return PostgresLook(connection, state, _before(row), changed_at, last_as_of)


def _before(row: Any) -> Before:
    if row is None:
        return Before()
    memory = Memory.model_validate_json(row["memory"])
    return Before(row["verdict"], row["winner"], memory)


def _reach(point: str, look: PostgresLook | None) -> None:
    if look is not None and look.has_step:
        FAULTS.reach(point)
