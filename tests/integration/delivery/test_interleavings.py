"""All 252 orders in which two parties can take five steps each, on real Postgres connections.

Parties: an owner of a partition (claim, move the fence, insert, add up, commit), and against it a
rival owner, the reading side of a rebuild, or the owner of another partition that has the same
events. Erasure is not part of the product yet; it belongs here as a fourth opponent.
"""

from collections.abc import AsyncIterator, Iterator
from itertools import combinations, count
from typing import NamedTuple

import asyncpg
import pytest

from services.metrics.queries import snapshot
from shared.clock import utc_now
from shared.delivery.plan import Partition
from shared.measures.cells import Cells
from shared.measures.fold import fold_operations
from tests.integration.delivery.actors import (
    PRICE,
    Actor,
    LogRecord,
    Owner,
    Rebuilder,
    decoded,
    log_of,
    play,
)
from tests.support.system import prepared

STEPS = 5
TOPIC = "ai.operations.v1"
RECORDS = 6
ORDERS = [
    "".join("A" if place in mine else "B" for place in range(2 * STEPS))
    for mine in combinations(range(2 * STEPS), STEPS)
]

FENCE = """
    SELECT next_offset, accepted, duplicates, dead, gaps FROM consumer_fence
     WHERE consumer_group = $1 AND topic = $2 AND partition = $3
"""
ROWS = """
    SELECT kafka_offset FROM ai_model_operations WHERE kafka_topic = $1 AND kafka_partition = $2
     ORDER BY kafka_offset
"""


class Place(NamedTuple):
    """Two connections of ingest, one of metrics, and one that looks on."""

    pools: tuple[asyncpg.Pool, asyncpg.Pool, asyncpg.Pool]
    pids: tuple[int, int, int]
    watcher: asyncpg.Connection
    at: str

    def owner(self, which: int, records: list[LogRecord]) -> Owner:
        partition = Partition(records[0].topic, records[0].partition)
        return Owner(self.pools[which], self.pids[which], partition, records)

    def rebuilder(self, partition: Partition) -> Rebuilder:
        return Rebuilder(self.pools[2], self.pids[2], partition)


@pytest.fixture(scope="module")
async def place(database_dsn: str) -> AsyncIterator[Place]:
    dsns = await prepared(database_dsn)
    pools = [
        await asyncpg.create_pool(dsns[name], min_size=1, max_size=1)
        for name in ("ingest", "ingest", "metrics")
    ]
    pids = [await pool.fetchval("SELECT pg_backend_pid()") for pool in pools]
    watcher = await asyncpg.connect(database_dsn)
    made = Place((*pools,), (*pids,), watcher, utc_now().isoformat())  # type: ignore[arg-type]
    await made.owner(0, log_of(Partition(TOPIC, 0), [0], made.at)).prepare_days()
    yield made
    for pool in pools:
        await pool.close()
    await watcher.close()


@pytest.fixture(scope="module")
def fresh() -> Iterator[int]:
    """Numbers of partitions that nothing is known of."""
    return count(1)


def logs(numbers: Iterator[int], place: Place) -> list[LogRecord]:
    """A log that no other play has seen, and events that none has."""
    number = next(numbers)
    own = range(number * RECORDS, (number + 1) * RECORDS)
    return log_of(Partition(TOPIC, number), own, place.at)


def expected(records: list[LogRecord]) -> Cells:
    """The cells of these records' events, without zeros as `cell_of` reads them."""
    cells = fold_operations((read.event, read.at_us, PRICE) for read in decoded(records))  # type: ignore[misc]
    return {key: {name: n for name, n in cell.items() if n} for key, cell in cells.items()}


async def check(place: Place, records: list[LogRecord], order: str, *, told: int) -> int:
    """Rows, minutes and verdicts are those of all records below the fence; answers the fence."""
    where = records[0][:2]
    fence = await place.watcher.fetchrow(FENCE, snapshot.SOURCE_GROUP, *where)
    assert fence is not None, order
    next_offset, accepted, duplicates, dead, gaps = fence
    rows = [row[0] for row in await place.watcher.fetch(ROWS, *where)]
    async with place.watcher.transaction():
        found = snapshot.minutes_since(
            place.watcher, Partition(*where), utc_now().replace(year=2000)
        )
        cells = {key: cell async for key, cell in found}
    assert accepted + duplicates + dead + gaps == next_offset, order
    assert len(rows) == accepted == told, order
    assert cells == expected([records[offset] for offset in rows]), order
    assert rows == [offset for offset in range(next_offset) if offset in rows], order
    return int(next_offset)


async def test_of_two_owners_the_later_claim_writes_and_nothing_is_written_twice(
    place: Place, fresh: Iterator[int]
) -> None:
    fenced = waited = 0
    for order in ORDERS:
        records = logs(fresh, place)
        a, b = place.owner(0, records[:4]), place.owner(1, records)
        await play(order, {"A": a, "B": b}, place.watcher)
        told = sum(len(one.fresh) for one in (a, b))
        next_offset = await check(place, records, order, told=told)
        assert told == next_offset, order  # every record below the fence, none of them twice
        later = max((a, b), key=lambda one: one.fence.epoch)
        assert not later.fenced, order
        assert next_offset == RECORDS or b.fenced, order
        assert not any(one.fresh for one in (a, b) if one.fenced), order
        fenced += a.fenced + b.fenced
        waited += a.waited or b.waited
    assert fenced > 50  # else the two hardly met
    assert waited > 50


async def test_a_rebuild_sees_position_minutes_and_identities_of_one_instant(
    place: Place, fresh: Iterator[int]
) -> None:
    positions = set()
    for order in ORDERS:
        records = logs(fresh, place)
        partition = Partition(*records[0][:2])
        before: dict[str, Actor] = {"A": place.owner(0, records[:2])}
        await play("A" * STEPS, before, place.watcher)
        owner, rebuilder = place.owner(0, records), place.rebuilder(partition)
        await play(order, {"A": owner, "B": rebuilder}, place.watcher)
        assert await check(place, records, order, told=RECORDS) == RECORDS, order
        assert rebuilder.position is not None, order
        seen = records[: rebuilder.position]
        assert rebuilder.cells == expected(seen), order
        ids = sorted(str(read.event.event_id) for read in decoded(seen))
        assert rebuilder.identities == ids, order
        assert not rebuilder.waited, order  # a reader holds nobody up
        assert not owner.waited, order
        positions.add(rebuilder.position)
    assert positions == {2, RECORDS}


async def test_the_same_events_in_two_partitions_count_once(
    place: Place, fresh: Iterator[int]
) -> None:
    duplicates, waited = set(), 0
    for order in ORDERS:
        records, number = logs(fresh, place), next(fresh)
        again = [one._replace(partition=number) for one in records]
        a, b = place.owner(0, records), place.owner(1, again)
        await play(order, {"A": a, "B": b}, place.watcher)
        for one, log in ((a, records), (b, again)):
            assert await check(place, log, order, told=len(one.fresh)) == RECORDS, order
        assert len(a.fresh) + len(b.fresh) == RECORDS, order
        duplicates.add((len(a.fresh), len(b.fresh)))
        waited += a.waited or b.waited
    assert duplicates == {(0, RECORDS), (RECORDS, 0)}
    assert waited > 50
