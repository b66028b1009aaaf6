"""F6c: how long live metrics are gone when a million cells must be built anew."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from deploy.jobs.rebuild import rebuild_metrics
from deploy.jobs.where import Where
from tests.faults.matrix import Line
from tests.support.amounts import MAKE_TEST, amount
from tests.support.stores import RedisHere
from tests.support.system import PARTITIONS, prepared

pytestmark = [pytest.mark.faults, pytest.mark.integration, pytest.mark.timeout(900)]

CELLS = 1_000_000 if amount() > MAKE_TEST else 20_000
MEASURES = 17
WITHIN_S = 120
MINUTES_BACK = 170
TOPIC = "ai.operations.v1"
FILL = """
    INSERT INTO operation_rollup_minute (tenant_id, minute, model_id, environment, operation_type,
        variant, topic, partition, n, ok, tin, tout, cost_nano, cost_n, rt_us, distribution)
    SELECT 'acme', date_trunc('minute', now()) - make_interval(mins => i % $2), 'm' || i / $2 / $3,
           'production', 'chat', '', $4, i / $2 % $3, 10, 9, 1000, 200, 123456, 10, 1234567,
           '{"rt:100":"3","rt:110":"2","rt:120":"5","ln_rt_nano":"12345678",
             "ln_rt2_nano":"99999999","conf_n":"10","conf_nano":"900","conf2_nano":"800",
             "b:9":"10","err:timeout":"1"}'::jsonb
      FROM generate_series(0, $1::integer - 1) AS i
"""
BEGUN = """
    INSERT INTO consumer_fence (consumer_group, topic, partition, epoch, next_offset)
    SELECT 'ingest', $1, number, 1, 1000 FROM generate_series(0, $2::integer - 1) AS number
"""


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[str]:
    """A Redis of this test's own: it will hold 2 GB."""
    server = RedisHere(tmp_path)
    await asyncio.to_thread(server.start)
    yield server.url
    server.stop()


async def test_a_million_cells_come_back(
    fresh_database: str, redis: str, lines: list[Line]
) -> None:
    await prepared(fresh_database)
    connection = await asyncpg.connect(fresh_database)
    await connection.execute(FILL, CELLS, MINUTES_BACK, PARTITIONS, TOPIC)
    await connection.execute(BEGUN, TOPIC, PARTITIONS)
    await connection.close()
    started = time.monotonic()
    await rebuild_metrics(Where(fresh_database, redis, "ai."))
    took_s = time.monotonic() - started
    numbers = 0
    async with Redis.from_url(redis) as client:
        async for name in client.scan_iter(match="*:g*:m:*", count=1_000):
            numbers += await client.hlen(name)
    assert numbers == CELLS * MEASURES
    if amount() > MAKE_TEST:
        line = Line("F6c", f"Redis: {CELLS:,} cells built anew", 1, WITHIN_S, [took_s])
        lines.append(line)
        assert took_s <= WITHIN_S
