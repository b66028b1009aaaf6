"""A test's units and sums made anew from its events, also while events come.

All is read as of one instant, and what is missing is added to a shard of its own: batches go on
adding to theirs. Only a unit that was wrong is written, and if a batch changes it meanwhile the
recount fails as a whole and begins anew.
"""

import json
from collections import Counter
from collections.abc import AsyncIterator
from uuid import UUID

from asyncpg import Pool, SerializationError

from services.abtest.domain.folding import ArmChange, ArmName, Changes, by_unit
from services.abtest.domain.live import LiveTest
from services.abtest.domain.recounting import Recounted, add, counted, different, differing
from services.abtest.domain.rows import Candidate, UnitKey
from services.abtest.domain.sums import COLUMNS
from services.abtest.domain.units import BLANK, UnitState
from services.abtest.queries import arms, reading, recounting, units
from services.abtest.queries.results import lock_test
from services.abtest.queries.tests import KEPT_AFTER_END
from services.abtest.store.keeping import read
from services.abtest.store.known import KnownTests
from shared.delivery.postgres import Session

RECOUNTED = -2
"""The shard of what recounts have added."""
ROWS_AT_ONCE = 5_000
ATTEMPTS = 5


class PostgresRecount:
    """Recounts of tests whose events are still there."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._known = KnownTests()

    async def tests(self) -> list[tuple[str, UUID]]:
        """Tests that have begun, but for those whose events were removed after their end."""
        async with self._pool.acquire() as connection:
            return await recounting.tests(connection, KEPT_AFTER_END)

    async def recount(self, tenant_id: str, test_id: UUID) -> Recounted:
        """Make one anew where it differs, again when a batch changes what is mended."""
        for _ in range(ATTEMPTS - 1):
            try:
                return await self._attempt(tenant_id, test_id)
            except SerializationError:
                continue
        return await self._attempt(tenant_id, test_id)

    async def _attempt(self, tenant_id: str, test_id: UUID) -> Recounted:
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read"),
        ):
            test = await self._known.one(connection, tenant_id, test_id)
            if test is None:
                raise LookupError(f"test {test_id} is none that this release can read")
            total, wrong, count = Changes(), dict[UnitKey, UnitState](), 0
            async for rows in _by_portions(connection, test):
                mine = by_unit(rows)
                tests = {tenant_id: {test_id: test}}
                stored, pasts = await read(connection, mine, tests)
                found = counted(mine, test, pasts)
                wrong |= {key: found.units[key] for key in differing(found.units, stored)}
                count += len(found.units)
                add(total, found)
            for unit in await recounting.units_without_events(connection, tenant_id, test_id):
                wrong[UnitKey(tenant_id, test_id, unit)] = BLANK
            add(total, await _stored(connection, test), -1)
            change = different(total)
            if wrong:
                await units.locked(connection, wrong)
                await units.update(connection, wrong)
            if wrong or change.arms or change.days:
                # What was reckoned by the test as it was must not hold for the test as it is.
                await lock_test(connection, tenant_id, test_id)
            if change.arms or change.days:
                as_of = await recounting.as_of(connection, tenant_id, test_id) or test.started_at
                await arms.add_arms(connection, change.arms, RECOUNTED, as_of)
                await arms.add_sums(connection, change.arms, RECOUNTED)
                await arms.add_bins(connection, change.arms, RECOUNTED)
                await arms.add_days(connection, change.days, RECOUNTED)
            differ = len(change.arms) or int(bool(change.days))
            return Recounted(tenant_id, test.config.key, count, len(wrong), differ)


async def _by_portions(connection: Session, test: LiveTest) -> AsyncIterator[list[Candidate]]:
    """All rows of a test, those of a unit together."""
    held: list[Candidate] = []
    async for row in recounting.rows(connection, test.tenant_id, test.test_id, ROWS_AT_ONCE):
        if len(held) >= ROWS_AT_ONCE and held[-1].unit != row.unit:
            yield held
            held = []
        held.append(row)
    if held:
        yield held


async def _stored(connection: Session, test: LiveTest) -> Changes:
    """What is stored of a test, all shards together."""
    key = test.tenant_id, test.test_id
    stored = Changes()
    for row in await reading.arms(connection, *key):
        stored.arms[ArmName(*key, row["epoch"], row["variant"])] = ArmChange(
            *(row["units"], row["multiple"], row["operations"], row["crossovers"]),
            ratings=list(row["ratings"]),
        )
    for row in await reading.sums(connection, *key):
        arm = stored.arms[ArmName(*key, row["epoch"], row["variant"])]
        arm.sums[row["metric"]] = [int(row[name]) for name in COLUMNS]
    for row in await reading.bins(connection, *key):
        bins = stored.arms[ArmName(*key, row["epoch"], row["variant"])].bins[row["grp"]]
        bins.update(Counter({int(at): n for at, n in json.loads(row["bins"]).items()}))
    for row in await reading.days(connection, *key):
        stored.days[(*key, row["day"])] = row["units"]
    return stored
