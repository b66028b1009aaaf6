"""kill -9 of ingest and metrics, at random and at every named crash point, under traffic.

Afterwards: every valid event is one row and counted once, every bad record is one dead letter,
and the sums are equal to the last unit in Postgres' rows, in its minutes and in Redis.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from redis.asyncio import Redis

from shared import keys
from shared.delivery.faults import POINTS
from tests.faults.ledger import Ledger, write_ledger
from tests.faults.victims import Victim
from tests.support.system import SECRET, prepared, publish, topics
from tests.support.waiting import eventually

EVENTS = 250_000 if os.environ.get("NIGHTLY") else 50_000
KILLS = 200 if os.environ.get("NIGHTLY") else 20
CHUNK = 1_500
SEED = int(os.environ.get("ASSAY_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)
MEASURES = ("n", "ok", "tin", "tout", "cost_nano", "rt_us")
OWNER = {"postgres": "ingest", "redis": "metrics"}


@pytest.fixture(scope="module")
async def victims(
    kafka_bootstrap: str,
    topic_prefix: str,
    database_dsn: str,
    redis_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[dict[str, Victim]]:
    """Ingest and metrics as processes of their own."""
    dsns = await prepared(database_dsn)
    await topics(kafka_bootstrap, topic_prefix)
    logs: Path = tmp_path_factory.mktemp("logs")
    print(f"seed {SEED} (ASSAY_TEST_SEED), logs in {logs}")
    made = {}
    for name in ("ingest", "metrics"):
        env = {
            "ASSAY_KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap,
            "ASSAY_TOPIC_PREFIX": topic_prefix,
            "ASSAY_REDIS_URL": redis_url,
            "ASSAY_POSTGRES_DSN": dsns[name],
            "ASSAY_SECRET_KEY": SECRET,
            f"ASSAY_{name.upper()}_MAX_RECORDS": "500",
        }
        made[name] = Victim(name, env, logs)
        made[name].start()
    yield made
    for victim in made.values():
        victim.stop()


class Books:
    """Reads the stores past the services."""

    def __init__(self, dsn: str, redis_url: str, topic: str) -> None:
        self._dsn = dsn
        self._redis_url = redis_url
        self._topic = topic

    async def fetch(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        """Ask Postgres as superuser."""
        connection = await asyncpg.connect(self._dsn)
        try:
            return await connection.fetch(statement, *values)
        finally:
            await connection.close()

    async def positions(self) -> tuple[int, int]:
        """How many offsets ingest and metrics have behind them."""
        rows = await self.fetch(
            "SELECT coalesce(sum(next_offset), 0) FROM consumer_fence WHERE topic = $1", self._topic
        )
        async with Redis.from_url(self._redis_url) as client:
            found = [
                int(await client.hget(keys.fence(self._topic, partition), "next") or 0)
                for partition in range(6)
            ]
        return int(rows[0][0]), sum(found)

    async def redis_sums(self, resolution: str) -> Counter[tuple[str, str]]:
        """Cells of one resolution, summed by model and measure."""
        sums: Counter[tuple[str, str]] = Counter()
        async with Redis.from_url(self._redis_url) as client:
            async for name in client.scan_iter(match=f"*:g*:{resolution}:acme:*", count=1_000):
                for field, value in (await client.hgetall(name)).items():
                    series, measure = keys.split_field(field.decode())
                    if measure in MEASURES:
                        sums[series.model_id, measure] += int(value)
        return sums


@pytest.fixture(scope="module")
def ledger(topic_prefix: str) -> Ledger:
    """What will be sent."""
    return write_ledger(f"{topic_prefix}operations.v1", EVENTS, SEED)


@pytest.fixture(scope="module")
def books(database_dsn: str, redis_url: str, topic_prefix: str) -> Books:
    """The stores."""
    return Books(database_dsn, redis_url, f"{topic_prefix}operations.v1")


@pytest.mark.faults
@pytest.mark.timeout(900)
async def test_nothing_is_lost_and_nothing_counted_twice(
    victims: dict[str, Victim], ledger: Ledger, books: Books, kafka_bootstrap: str
) -> None:
    chance = random.Random(SEED)
    chunks = [ledger.records[at : at + CHUNK] for at in range(0, len(ledger.records), CHUNK)]
    points = [point for point in POINTS if point != "redis.before_activate"]  # no rebuild here
    plan = points + [""] * (KILLS - len(points))
    chance.shuffle(plan)
    # A service that has never claimed a partition would begin where the other one is by then.
    await publish(kafka_bootstrap, chunks[0])
    first = (len(chunks[0]), len(chunks[0]))

    async def begun() -> bool:
        return await books.positions() == first

    await eventually(begun, why="both have begun", deadline_s=60)
    for turn in range(1, max(len(chunks), len(plan) + 1)):
        if turn < len(chunks):
            await publish(kafka_bootstrap, chunks[turn])
        if turn <= len(plan):
            await _strike(victims, plan[turn - 1], chance, books, turn)
    assert sum(victim.deaths for victim in victims.values()) >= KILLS

    wanted = (len(ledger.records), len(ledger.records))

    async def consumed() -> bool:
        return await books.positions() == wanted

    await eventually(consumed, why="both have consumed everything", deadline_s=240)


async def _strike(
    victims: dict[str, Victim], point: str, chance: random.Random, books: Books, turn: int
) -> None:
    """Kill one: from outside once it has moved, or by itself at a named point."""
    if not point:
        victim = victims[chance.choice(["ingest", "metrics"])]
        before = await books.positions()

        async def moved() -> bool:
            return await books.positions() != before

        # Killed while it works, not while it starts; at the end there may be nothing left to do.
        with_progress = asyncio.ensure_future(eventually(moved, why="progress", deadline_s=8))
        await asyncio.wait([with_progress])
        with_progress.exception()
        victim.kill()
        victim.start()
        return
    victim = victims[OWNER[point.split(".", maxsplit=1)[0]]]
    victim.kill()
    victim.start(f"{point}:{1 + turn % 2}")
    await eventually(lambda: not victim.alive, why=f"{victim.name} reaches {point}", deadline_s=60)
    assert victim.killed_itself, victim.tail()
    victim.deaths += 1
    victim.start()


@pytest.mark.faults
async def test_every_valid_event_is_one_row(ledger: Ledger, books: Books) -> None:
    rows = await books.fetch(
        """
        SELECT model_id, count(*) AS n, count(*) FILTER (WHERE success) AS ok,
               sum(input_tokens)::bigint AS tin, sum(output_tokens)::bigint AS tout,
               sum(cost_nano)::bigint AS cost_nano,
               sum(round(response_time_ms::numeric * 1000))::bigint AS rt_us
          FROM ai_model_operations GROUP BY 1
        """
    )
    found = Counter({(row["model_id"], name): row[name] for row in rows for name in MEASURES})
    assert found == ledger.sums
    ids = await books.fetch("SELECT count(DISTINCT event_id) FROM ai_model_operations")
    assert ids[0][0] == ledger.valid


@pytest.mark.faults
async def test_minutes_and_live_cells_hold_the_same_sums(ledger: Ledger, books: Books) -> None:
    totals = ", ".join(f"sum({name})::bigint AS {name}" for name in MEASURES)
    rows = await books.fetch(f"SELECT model_id, {totals} FROM operation_rollup_minute GROUP BY 1")
    minutes = Counter({(row["model_id"], name): row[name] for row in rows for name in MEASURES})
    assert minutes == ledger.sums
    for resolution in (keys.MINUTE_CELLS, keys.HOUR_CELLS):
        assert await books.redis_sums(resolution) == ledger.sums


@pytest.mark.faults
async def test_every_bad_record_is_one_dead_letter(ledger: Ledger, books: Books) -> None:
    rows = await books.fetch("SELECT reason, count(*) FROM dead_letters GROUP BY 1")
    assert Counter({row[0]: row[1] for row in rows}) == ledger.poison


@pytest.mark.faults
async def test_every_offset_has_a_verdict(ledger: Ledger, books: Books) -> None:
    counted = (
        await books.fetch(
            "SELECT sum(accepted), sum(duplicates), sum(dead), sum(gaps) FROM consumer_fence"
        )
    )[0]
    expected = (ledger.valid, ledger.duplicates, sum(ledger.poison.values()), 0)
    assert tuple(int(value) for value in counted) == expected
