"""Live cells that differ from the stored minutes are found and mended, while traffic flows."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest
from redis.asyncio import Redis

from deploy.jobs.reconcile import Reconciliation, reconcile
from deploy.jobs.where import Where
from tests.integration.metrics.both import Stores, settled, spoil
from tests.support.events import feedback, operation

pytestmark = pytest.mark.timeout(180)


async def compared(stores: Stores, *, mend: bool = True) -> Reconciliation:
    where = Where(stores.dsn, stores.redis_url, stores.prefix)
    return await reconcile(where, back=timedelta(hours=2), mend=mend)


async def test_equal_stores_are_found_equal(stores: Stores) -> None:
    await settled(stores)
    done = await compared(stores)
    assert done.equal
    assert done.complete
    assert done.recount.rows >= 660
    assert all(one.cells for one in done.live)


async def test_every_spoiled_cell_is_found_and_mended(stores: Stores) -> None:
    before = await settled(stores)
    spoiled = await spoil(stores)
    looked = await compared(stores, mend=False)
    assert sum(len(one.differences) for one in looked.live) == spoiled
    assert await stores.cells() != before
    assert not (await compared(stores)).equal
    assert await stores.cells() == before
    assert (await compared(stores)).equal


async def test_a_duplicate_that_came_too_late_for_redis_is_taken_back(stores: Stores) -> None:
    before = await settled(stores)
    async with Redis.from_url(stores.redis_url) as client:
        async for name in client.scan_iter(match="*:seen:*"):
            await client.delete(name)  # as after two hours
    rows = await stores.fetch(
        "SELECT event_id, occurred_at FROM ai_model_operations ORDER BY event_id LIMIT 1000"
    )
    stamps = {str(row["event_id"]): row["occurred_at"].isoformat() for row in rows}
    again = [operation(number) for number in range(50)]
    await stores.send(
        "operations", *(one | {"occurred_at": stamps[one["event_id"]]} for one in again)
    )
    await stores.all_consumed()
    assert await stores.cells() != before
    assert not (await compared(stores)).equal
    assert await stores.cells() == before


async def test_minutes_that_do_not_say_what_the_rows_say_are_named(stores: Stores) -> None:
    await settled(stores)
    connection = await asyncpg.connect(stores.dsn)
    change = "UPDATE operation_rollup_minute SET tin = tin {} 7 WHERE ctid = '{}'"
    place = await connection.fetchval(
        "SELECT ctid FROM operation_rollup_minute WHERE n > 0 LIMIT 1"
    )
    place = "({},{})".format(*place)
    await connection.execute(change.format("+", place))
    try:
        done = await compared(stores, mend=False)
        assert [lacking for *_, lacking in done.recount.differences] == [{"tin": -7}]
    finally:
        place = await connection.fetchval(
            "SELECT ctid FROM operation_rollup_minute ORDER BY xmin::text::bigint DESC LIMIT 1"
        )
        await connection.execute(change.format("-", "({},{})".format(*place)))
        await connection.close()
    assert (await compared(stores)).equal


async def test_under_traffic_nothing_right_is_changed_and_all_wrong_is_mended(
    stores: Stores,
) -> None:
    enough = asyncio.Event()

    async def traffic() -> None:
        first = 9_000_000
        while not enough.is_set():
            numbers = range(first, first + 150)
            # Feedback first: its operation is not known to anybody yet.
            await stores.send("feedback", *(feedback(number) for number in numbers[::10]))
            await stores.send("operations", *(operation(number) for number in numbers))
            first += len(numbers)

    flowing = asyncio.ensure_future(traffic())
    for _ in range(3):
        done = await compared(stores)
        assert done.equal, done.as_json()
    enough.set()
    await flowing
    await spoil(stores)
    flowing = asyncio.ensure_future(
        stores.send("operations", *map(operation, range(9_500_000, 9_500_900)))
    )
    await compared(stores)
    await flowing
    await settled(stores)
