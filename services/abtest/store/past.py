"""A test's past: made once from what is stored, then brought to the units that are there already.

Each step is one short transaction that says how far it is, so whoever goes on begins there. While
the past is made, batches count without it. Once it `is_made`, each unit that a batch changes is
read anew with it; the others follow here. A batch that began before that may still keep a unit
without: the units are gone through only after all such transactions have ended.
"""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from asyncpg import Pool, QueryCanceledError

from services.abtest.domain.folding import Rows
from services.abtest.domain.live import LiveTest
from services.abtest.domain.past import limit
from services.abtest.domain.rows import UnitKey
from services.abtest.queries import past, recounting
from services.abtest.store.keeping import change
from services.abtest.store.known import KnownTests
from shared.delivery.columns import ALWAYS_PLAN
from shared.delivery.faults import FAULTS
from shared.delivery.postgres import LIMITS, Session
from shared.experiments.cuped import BEFORE, window

BROUGHT = -3
"""The shard of what units gain by their past."""
UNITS_AT_ONCE = 1_000
# Operations of before the start that are still on their way are stored by then.
AFTER_START = timedelta(minutes=1)

Key = tuple[str, UUID]
Place = tuple[int, str]
"""Where a past that is made is brought to: a number of a later transaction, and the last unit."""


class PostgresPast:
    """The pasts of tests that have begun."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._known = KnownTests()
        self._begun: dict[Key, Place] = {}

    async def unfinished(self) -> list[Key]:
        """Tests whose past is not complete."""
        async with self._pool.acquire() as connection:
            return await past.unfinished(connection, AFTER_START, BEFORE)

    async def advance(self, key: Key, slice_of: timedelta) -> bool | None:
        """One step with one test: the next slice of time, or the next units.

        Answers whether it was done; `None` when the slice was too large for the time it may take.
        """
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(LIMITS)
                await connection.execute(ALWAYS_PLAN)
                scan = await past.locked_scan(connection, *key)
                if scan is None or scan["completed_at"] is not None:
                    return False
                test = await self._known.one(connection, *key)
                if test is None:
                    return False  # a newer release wrote it
                if scan["marked_at"] is None:
                    await self._scan(connection, test, scan, slice_of)
                    FAULTS.reach("past.in_transaction")
                    return True
                place = await self._bring(connection, key, test)
        except QueryCanceledError:
            return None
        # Only now: what was not committed is not behind us.
        is_further = place != self._begun.get(key)
        if place is None:
            self._begun.pop(key, None)
        else:
            self._begun[key] = place
        return is_further

    async def _scan(
        self, connection: Session, test: LiveTest, scan: Any, slice_of: timedelta
    ) -> None:
        key = test.tenant_id, test.test_id
        start, end = window(test.started_at)
        begin = scan["scanned_until"]
        until = min(begin + slice_of, end)
        by = test.config.filter
        taken = (*key, begin, until, by.operation_type, by.environment, by.agent_id)
        # Sessions hardly outlive a test's start: of their tests only limits are made.
        with_units = test.config.cuped and test.config.unit == "user_id"
        bins = await past.add_operations(connection, taken, test.slo_ms, with_units=with_units)
        if with_units:
            await past.add_feedback(connection, taken, start, end)
        await past.moved_on(connection, *key, until, bins)
        if until == end:
            made = await past.locked_scan(connection, *key)
            limits = {name: limit(_bins(made[f"{name}_bins"])) for name in ("tok", "cost")}
            if await past.mark(connection, *key, limits):
                await past.change_test(connection, *key)

    async def _bring(self, connection: Session, key: Key, test: LiveTest) -> Place | None:
        if key not in self._begun:
            return await past.own_number(connection), ""
        number, last = self._begun[key]
        if await past.oldest_writer(connection) < number:
            return number, last
        units = await past.units_after(connection, *key, last, UNITS_AT_ONCE)
        if not units:
            await past.complete(connection, *key)
            await past.change_test(connection, *key)
            return None
        without: Rows = {UnitKey(*key, unit): [] for unit, with_past in units if not with_past}
        if without:
            as_of = await recounting.as_of(connection, *key) or test.started_at
            await change(connection, without, {key[0]: {key[1]: test}}, BROUGHT, as_of)
        return number, units[-1][0]


def _bins(stored: str) -> dict[int, int]:
    return {int(key): count for key, count in json.loads(stored).items()}
