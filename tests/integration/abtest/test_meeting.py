"""Two processes that meet the same new units, and the same events, at the same moment."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from asyncpg import Pool

from services.abtest.domain.rows import EXPOSURE, OPERATION, Candidate
from services.abtest.store.keeping import keep
from services.abtest.store.known import KnownTests
from tests.integration.abtest.conftest import World, exact
from tests.support.waiting import eventually

USERS = 60


@pytest.fixture(scope="module")
def world(surroundings: World) -> World:
    """abtest does not run here by itself."""
    return surroundings


async def rows_of(world: World, test_id: UUID, kind: str) -> list[Candidate]:
    """One row of each user; exposures come after operations, so that they leave some out."""
    began = (await world.live(test_id)).started_at
    late = timedelta(minutes=1) if kind == EXPOSURE else timedelta()
    values = {} if kind == EXPOSURE else {"ok": 1, "ln": 5_000_000, "slow": 0, "bin": 3}
    found = []
    for number in range(USERS):
        at = began + timedelta(seconds=number) + late
        place = ("acme", test_id, uuid4(), at, kind, f"user-{number:03}", None)
        found.append(Candidate(*place, 1, "ab"[number % 2], at, **values))
    return found


@pytest.mark.parametrize("repeated", [0, 10], ids=["units only", "units and events"])
async def test_both_count_as_if_one_had_come_after_the_other(
    world: World, pool: Pool, repeated: int
) -> None:
    test_id = await world.begin(f"meeting-{repeated}")
    operations = await rows_of(world, test_id, OPERATION)
    exposures = await rows_of(world, test_id, EXPOSURE)
    half, later = USERS // 2, await rows_of(world, test_id, OPERATION)
    async with pool.acquire() as early, pool.acquire() as late:
        first, second = early.transaction(), late.transaction()
        await first.start()
        await second.start()
        tests = await KnownTests().of(early, ["acme"], operations[0].occurred_at)
        await keep(early, operations[:half], tests, 0, operations[0].occurred_at)
        # The same users, perhaps some of the same events, and users whom the first does not know.
        coming = [*operations[half - repeated :], *exposures[::2], *later]
        keeping = asyncio.ensure_future(keep(late, coming, tests, 1, operations[0].occurred_at))
        await eventually(lambda: _waits(world), why="the second waits for the first")
        await first.commit()
        new = await keeping
        await second.commit()
    assert len(new) == len(coming) - repeated
    await exact(world, test_id)


async def _waits(world: World) -> bool:
    found = await world.sql("SELECT count(*) AS n FROM pg_locks WHERE NOT granted")
    return bool(found[0]["n"])
