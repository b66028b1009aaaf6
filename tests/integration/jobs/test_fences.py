"""Moving ingest's fence: what is skipped is counted, and offsets may be used again."""

import pytest
from redis.asyncio import Redis

from deploy.jobs.fences import Group, MovedError, Standing, move, rebuild_partition, reset_fences
from deploy.jobs.where import Where
from shared import keys
from shared.audit.chain import INSTALLATION
from shared.clock import utc_now
from shared.delivery.plan import Partition
from tests.integration.audit.kept import kept
from tests.integration.gateway.stored import store_feedback, store_operation, with_days
from tests.support.system import AUDIT, prepared, querying

AT = Partition("ai.operations.v1", 0)
BEGUN = """
    INSERT INTO consumer_fence
        (consumer_group, topic, partition, epoch, next_offset, accepted, dead)
    VALUES ('ingest', $1, $2, 1, 100, 98, 2)
"""
LETTERS = """
    INSERT INTO dead_letters
        (topic, partition, kafka_offset, reason, detail, record_value, record_timestamp)
    SELECT $1, $2, number, 'invalid_json', '', 'old', now()
      FROM generate_series(40, 99, 30) AS number
"""
STANDS = """
    SELECT epoch, next_offset, accepted, duplicates, dead, gaps FROM consumer_fence
     WHERE topic = $1 AND partition = $2
"""


@pytest.fixture
async def where(fresh_database: str, redis_url: str) -> Where:
    """Ingest stands at 100, and has buried two records of this partition."""
    await prepared(fresh_database)
    async with querying(fresh_database) as run:
        await run(BEGUN, *AT)
        await run(LETTERS, *AT)
    return Where(fresh_database, redis_url, "ai.")


def standing(log_start: int, log_end: int) -> Standing:
    return Standing(*AT, 100, None, log_start, log_end, "why", None)


async def stands(where: Where) -> tuple[int, ...]:
    async with querying(where.postgres_dsn) as run:
        return tuple((await run(STANDS, *AT))[0])


async def test_what_is_skipped_is_counted_as_a_gap(where: Where) -> None:
    await move(where, standing(130, 200), 130, AUDIT)
    assert await stands(where) == (2, 130, 98, 0, 2, 30)
    rows, _ = await kept(where.postgres_dsn, INSTALLATION)
    (moved,) = [row for row in rows if row.action == "fence.move"]
    assert (moved.object_id, moved.before, moved.after) == (
        "ingest:ai.operations.v1:0",
        '{"next_offset":100}',
        '{"next_offset":130}',
    )


async def test_offsets_that_come_again_are_not_taken_for_those_that_were(where: Where) -> None:
    await move(where, standing(0, 60), 60, AUDIT)
    assert await stands(where) == (2, 60, 0, 0, 0, 60)
    async with querying(where.postgres_dsn) as run:
        found = await run("SELECT kafka_offset FROM dead_letters ORDER BY 1")
        assert [row[0] for row in found] == [-1, 40]
        await run(LETTERS.replace("40, 99, 30", "70, 70"), *AT)
        await run("UPDATE consumer_fence SET next_offset = 100")
    await move(where, standing(0, 60), 0, AUDIT)
    async with querying(where.postgres_dsn) as run:
        found = await run("SELECT kafka_offset FROM dead_letters ORDER BY 1")
        assert [row[0] for row in found] == [-3, -2, -1]


async def test_rows_of_a_log_that_was_forgotten_have_none_of_the_next_one_s_offsets(
    where: Where,
) -> None:
    async with querying(where.postgres_dsn) as run:
        await with_days(run, utc_now())
        for topic in (AT.topic, "other.operations.v1"):
            for offset in (0, 7):
                stored = {"kafka_topic": topic, "kafka_offset": offset}
                await store_operation(run, utc_now(), **stored)
                await store_feedback(run, utc_now(), "op", **stored)
    for _ in range(2):
        await reset_fences(where.postgres_dsn, where.redis_url, "ai.", AUDIT)
        assert (await stands(where))[1] == 0
        async with querying(where.postgres_dsn) as run:
            for table in ("ai_model_operations", "user_feedback"):
                rows = await run(f"SELECT kafka_topic, kafka_offset FROM {table} ORDER BY 1, 2")
                assert [tuple(row) for row in rows] == [
                    *((AT.topic, -8), (AT.topic, -1)),
                    *(("other.operations.v1", 0), ("other.operations.v1", 7)),
                ]
            letters = await run("SELECT kafka_offset FROM dead_letters ORDER BY 1")
            assert [row[0] for row in letters] == [-2, -1]


async def test_each_consumer_has_its_own_fence(where: Where) -> None:
    """abtest goes on elsewhere, ingest stays, and what it buried stays where it was."""
    async with querying(where.postgres_dsn) as run:
        await run(BEGUN.replace("'ingest'", "'abtest'"), *AT)
    await move(where, standing(0, 60)._replace(group=Group.ABTEST), 60, AUDIT)
    async with querying(where.postgres_dsn) as run:
        found = await run("SELECT consumer_group, next_offset FROM consumer_fence ORDER BY 1")
        assert [tuple(row) for row in found] == [("abtest", 60), ("ingest", 100)]
        letters = await run("SELECT kafka_offset FROM dead_letters ORDER BY 1")
        assert [row[0] for row in letters] == [40, 70]


async def test_nobody_moves_what_has_moved(where: Where) -> None:
    async with querying(where.postgres_dsn) as run:
        await run("UPDATE consumer_fence SET next_offset = 101")
    with pytest.raises(MovedError, match="does not stand at 100"):
        await move(where, standing(130, 200), 130, AUDIT)
    rows, _ = await kept(where.postgres_dsn, INSTALLATION)
    assert "fence.move" not in {row.action for row in rows}


async def test_live_cells_are_built_anew_in_a_generation_of_their_own(where: Where) -> None:
    async with Redis.from_url(where.redis_url) as client:
        await client.hset(keys.fence(*AT), mapping={"epoch": 5, "next": 300, "gen": 1})
        await client.hset(keys.cell(*AT, 1, "m:acme:60"), mapping={"stale": 1})
        await client.delete(keys.generations(*AT))  # it has expired long ago
        await move(where, standing(130, 200), 130, AUDIT)
        await rebuild_partition(where, *AT)
        fence = await client.hgetall(keys.fence(*AT))
    assert (fence[b"gen"], fence[b"next"], fence[b"epoch"]) == (b"2", b"130", b"6")
