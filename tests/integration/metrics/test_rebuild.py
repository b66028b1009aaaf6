"""Cells that are lost come back from Postgres: to the last unit, and as if nothing had happened."""

import asyncio

from redis.asyncio import Redis

from deploy.jobs.rebuild import rebuild_metrics
from deploy.jobs.where import Where
from tests.integration.metrics.both import Stores, settled
from tests.integration.metrics.conftest import UNKNOWN
from tests.support.events import feedback, operation
from tests.support.system import PARTITIONS
from tests.support.waiting import eventually


async def test_an_emptied_redis_is_exact_again_though_the_log_is_gone(stores: Stores) -> None:
    before = await settled(stores)
    assert any(key[3].endswith("\x1frating") for key in before)
    await stores.forget_log()
    async with Redis.from_url(stores.redis_url) as client:
        await client.flushall()

    async def back() -> bool:
        return await stores.cells() == before

    await eventually(back, why="every cell is what it was", deadline_s=60)


async def test_what_was_counted_before_is_a_duplicate_after(stores: Stores) -> None:
    before = await settled(stores)
    again = [operation(number) for number in range(100)]
    rows = await stores.fetch("SELECT event_id, occurred_at FROM ai_model_operations")
    stamps = {str(row["event_id"]): row["occurred_at"].isoformat() for row in rows}
    await stores.send(
        "operations", *(one | {"occurred_at": stamps[one["event_id"]]} for one in again)
    )
    await stores.all_consumed()
    assert await stores.counter("duplicates") == len(again)
    assert await stores.cells() == before


async def test_feedback_that_waited_still_finds_its_operation(stores: Stores) -> None:
    async with Redis.from_url(stores.redis_url) as client:
        await client.flushall()
    late = operation(UNKNOWN, model_id="late", response_time_ms=1.0)
    await stores.send("operations", late)

    async def joined() -> int:
        cells = await stores.cells()
        return sum(
            value
            for key, value in cells.items()
            if key[0] == "m" and key[3].startswith("late\x1f") and key[3].endswith("\x1ff_n")
        )

    await eventually(joined, why="it is counted under its model", deadline_s=60)
    await settled(stores)
    assert await joined() == 1


async def test_rebuilding_under_traffic_loses_and_doubles_nothing(stores: Stores) -> None:
    first = 8_000_000

    async def traffic() -> None:
        for turn in range(12):
            numbers = range(first + turn * 150, first + (turn + 1) * 150)
            await stores.send("operations", *(operation(number) for number in numbers))
            await stores.send("feedback", *(feedback(number) for number in numbers[::10]))

    flowing = asyncio.ensure_future(traffic())
    rebuilt = 0
    where = Where(stores.dsn, stores.redis_url, stores.prefix)
    while not flowing.done():
        lines = await rebuild_metrics(where)
        rebuilt += len(lines)
    await flowing
    assert rebuilt >= 2 * PARTITIONS
    after = await settled(stores)
    operations = sum(
        value for key, value in after.items() if key[0] == "m" and key[3].endswith("\x1fn")
    )
    rows = await stores.fetch("SELECT count(*) FROM ai_model_operations")
    assert operations == rows[0][0]
