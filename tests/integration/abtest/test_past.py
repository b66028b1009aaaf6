"""What units did before a test: read once, whoever is killed, and then in every sum."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from asyncpg import Pool

from services.abtest.domain.rows import OPERATION, Candidate
from services.abtest.queries import recounting
from services.abtest.store import past as pasts
from services.abtest.store.keeping import keep
from services.abtest.store.known import KnownTests
from services.abtest.store.past import PostgresPast
from services.abtest.store.recounting import PostgresRecount
from services.abtest.store.upkeep import PostgresUpkeep
from tests.integration.abtest.conftest import World, exact
from tests.integration.abtest.pasts import (
    PRODUCTION,
    is_complete,
    operations_before,
    started_at,
)
from tests.support.past import store, totals, unit_of
from tests.support.waiting import eventually

SLICE = timedelta(days=2)


@pytest.fixture(scope="module")
def world(surroundings: World) -> World:
    """abtest does not run here by itself."""
    return surroundings


async def scanned(pool: Pool, key: tuple[str, UUID]) -> PostgresPast:
    """Made, and not yet brought to its units."""
    made = PostgresPast(pool)
    await made.unfinished()
    async with pool.acquire() as connection:
        while not await connection.fetchval(
            "SELECT marked_at FROM ab_past_scans WHERE test_id = $1", key[1]
        ):
            assert await made.advance(key, SLICE)
    return made


async def brought(made: PostgresPast, world: World, key: tuple[str, UUID]) -> None:
    """Brought to all units."""

    async def so() -> bool:
        await made.advance(key, SLICE)
        return await is_complete(world, key[1])

    await eventually(so, why="the past is complete", deadline_s=30)


async def test_a_scan_that_dies_in_any_slice_is_made_once(
    world: World, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    test_id = await world.begin("dies", **PRODUCTION)
    key, end = ("acme", test_id), await started_at(world, test_id)
    operations = operations_before(end, 3_000, 60, seed=1)
    await store(world.dsn, "acme", operations)
    await store(world.dsn, "globex", operations[:50])
    chance = random.Random(2)

    class Dying:
        def reach(self, _: str) -> None:
            if chance.random() < 0.5:
                raise RuntimeError("killed")

    monkeypatch.setattr(pasts, "FAULTS", Dying())
    await PostgresPast(pool).unfinished()
    deaths = 0
    while not await is_complete(world, test_id):
        slice_of = timedelta(hours=chance.choice([7, 31, 100]))
        try:
            await PostgresPast(pool).advance(key, slice_of)
        except RuntimeError:
            deaths += 1
        rows = await world.sql("SELECT marked_at FROM ab_past_scans WHERE test_id = $1", test_id)
        if rows[0]["marked_at"]:
            monkeypatch.undo()
            await brought(PostgresPast(pool), world, key)
    assert deaths
    assert await world.pasts(test_id) == totals("acme", test_id, operations, end)
    limits = (await world.live(test_id)).past.limits
    assert limits.tok == pytest.approx(900, rel=0.011)
    assert limits.cost == pytest.approx(2_000_000, rel=0.011)


async def test_a_test_without_any_past_is_left_as_it_is(world: World, pool: Pool) -> None:
    test_id = await world.begin("nothing-before", tenant="globex", filter={"agent_id": "nobody"})
    before = await world.sql("SELECT updated_at FROM ab_tests WHERE test_id = $1", test_id)
    await scanned(pool, ("globex", test_id))
    assert await is_complete(world, test_id)
    assert not (await world.live(test_id)).past.is_made
    now = await world.sql("SELECT updated_at FROM ab_tests WHERE test_id = $1", test_id)
    assert now == before


async def test_without_cuped_and_of_sessions_only_limits_are_made(world: World, pool: Pool) -> None:
    for name, changes in (("off", {"cuped": False}), ("sessions", {"unit": "session_id"})):
        test_id = await world.begin(f"only-limits-{name}", **PRODUCTION, **changes)
        await scanned(pool, ("acme", test_id))
        past = (await world.live(test_id)).past
        assert (past.is_made, past.has_units) == (True, False)
        assert past.limits.tok
        assert await world.pasts(test_id) == {}


def row_of(test_id: UUID, user: str, variant: str, at: datetime, **values: Any) -> Candidate:
    key = ("acme", test_id, uuid4(), at, OPERATION, unit_of("acme", user), None, 1, variant, at)
    held: dict[str, Any] = {"ok": 1, "ln": 5_000_000, "slow": 0, "bin": 3, "cost": 10**10} | values
    return Candidate(*key, **held)


async def test_a_batch_that_began_before_the_past_was_made_leaves_nobody_without(
    world: World, pool: Pool
) -> None:
    test_id = await world.begin("overtaken", **PRODUCTION)
    key, end = ("acme", test_id), await started_at(world, test_id)
    variants = {f"u-{n}": "ab"[n % 2] for n in range(40)}

    async def batch(connection: Any, users: range, since: KnownTests | None = None) -> Any:
        known = await (since or KnownTests()).of(connection, ["acme"], end)
        return known, [
            row_of(test_id, f"u-{n}", variants[f"u-{n}"], end + timedelta(seconds=n)) for n in users
        ]

    async with pool.acquire() as connection, connection.transaction():
        tests, rows = await batch(connection, range(10))
        await keep(connection, rows, tests, 0, end)
    async with pool.acquire() as early:
        transaction = early.transaction()
        await transaction.start()
        # As a batch does: it moves its fence, so it has written, and then reads the tests.
        await early.execute("UPDATE consumer_fence SET gaps = gaps WHERE false")
        await early.execute("SELECT pg_current_xact_id()")
        tests, rows = await batch(early, range(5, 30))
        assert not tests["acme"][test_id].past.is_made

        made = await scanned(pool, key)
        for _ in range(5):
            await made.advance(key, SLICE)
        assert not await is_complete(world, test_id), "it must wait for the earlier transaction"

        async with pool.acquire() as connection, connection.transaction():
            newer, more = await batch(connection, range(8, 40))
            assert newer["acme"][test_id].past.is_made
            await keep(connection, more, newer, 1, end)
        await keep(early, rows, tests, 2, end)
        await transaction.commit()
    without = await world.sql(
        "SELECT count(*) FROM ab_units WHERE test_id = $1 AND NOT with_past", test_id
    )
    assert without[0][0] > 0, "some were kept as the earlier transaction knew the test"
    await brought(made, world, key)
    without = await world.sql(
        "SELECT count(*) FROM ab_units WHERE test_id = $1 AND NOT with_past", test_id
    )
    assert without[0][0] == 0
    await exact(world, test_id)
    arms = (await world.state(test_id)).arms
    assert sum(arm.sums["response_time_ms"].h for arm in arms.values()) == 40
    limit = (await world.live(test_id)).past.limits.cost
    assert limit
    for arm in arms.values():
        assert arm.sums["cost_usd"].m == limit * arm.operations


async def test_a_recount_that_began_before_the_past_was_made_begins_anew(
    world: World, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    test_id = await world.begin("recounted", **PRODUCTION)
    key, end = ("acme", test_id), await started_at(world, test_id)
    async with pool.acquire() as connection, connection.transaction():
        tests = await KnownTests().of(connection, ["acme"], end)
        rows = [row_of(test_id, f"u-{n}", "ab"[n % 2], end) for n in range(20)]
        await keep(connection, rows, tests, 0, end)
    await world.sql("UPDATE ab_sums SET m = m + 7 WHERE test_id = $1", test_id)
    attempts = 0
    late = recounting.units_without_events

    async def meanwhile(connection: Any, *key: Any) -> list[str]:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            await scanned(pool, ("acme", test_id))
        return await late(connection, *key)

    monkeypatch.setattr(recounting, "units_without_events", meanwhile)
    found = await PostgresRecount(pool).recount(*key)
    assert attempts == 2
    assert (found.units_differing, found.arms_differing) == (20, 2)
    await brought(PostgresPast(pool), world, key)
    await exact(world, test_id)
    assert not (await PostgresRecount(pool).recount(*key)).differs


async def test_the_past_goes_with_the_tests_events(world: World, pool: Pool) -> None:
    test_id = await world.begin("over", **PRODUCTION)
    await scanned(pool, ("acme", test_id))
    assert await world.pasts(test_id)
    await world.step(test_id, "stopped", datetime.now(UTC) - timedelta(days=31))
    while await PostgresUpkeep(pool).remove_old(timedelta(days=7), 5_000):
        pass
    assert await world.pasts(test_id) == {}
