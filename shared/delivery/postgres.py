"""The fence in Postgres: rows and position are one transaction.

`fenced` opens the transaction, moves the fence as its first statement, and hands the connection
over for the rows. A zombie waits on the fence's row, then finds another epoch and writes nothing.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from asyncpg import Connection, Pool
from asyncpg.pool import PoolConnectionProxy

from shared.delivery.faults import FAULTS
from shared.delivery.plan import Fence, Partition
from shared.errors import FencedError

Session = Connection | PoolConnectionProxy

# A process that is stopped in the middle of a transaction holds its fence's row: whoever takes over
# waits for it, and with it for all else in its batch. (Not covered: stopped inside a COPY, when the
# server waits for the client and heeds no limit.)
LIMITS = """
    SET LOCAL lock_timeout = '5s';
    SET LOCAL statement_timeout = '30s';
    SET LOCAL idle_in_transaction_session_timeout = '10s'
"""

CLAIM = """
    INSERT INTO consumer_fence AS fence (consumer_group, topic, partition, epoch, next_offset)
    VALUES ($1, $2, $3, 1, $4)
    ON CONFLICT (consumer_group, topic, partition)
    DO UPDATE SET epoch = fence.epoch + 1, updated_at = now()
    RETURNING epoch, next_offset
"""

MOVE = """
    UPDATE consumer_fence
       SET next_offset = $6, gaps = gaps + $7, updated_at = now()
     WHERE consumer_group = $1 AND topic = $2 AND partition = $3
       AND epoch = $4 AND next_offset = $5
"""

COUNT = """
    UPDATE consumer_fence
       SET accepted = accepted + $4, duplicates = duplicates + $5, dead = dead + $6,
           erased = erased + $7
     WHERE consumer_group = $1 AND topic = $2 AND partition = $3
"""

READ = """
    SELECT epoch, next_offset FROM consumer_fence
     WHERE consumer_group = $1 AND topic = $2 AND partition = $3
"""


class Verdicts(NamedTuple):
    """What became of a batch's records; with the gaps they add up to the fence's move."""

    accepted: int
    duplicates: int
    dead: int
    erased: int = 0


class PostgresFence:
    """The fences of one consumer group."""

    def __init__(self, pool: Pool, group: str) -> None:
        self._pool = pool
        self._group = group

    async def claim(self, partition: Partition, log_start: int) -> Fence:
        """A new epoch for this process; an unknown partition begins at `log_start`."""
        row = await self._pool.fetchrow(CLAIM, self._group, *partition, log_start)
        assert row is not None  # noqa: S101 - an upsert always returns its row
        return Fence(row["epoch"], row["next_offset"])

    async def read(self, partition: Partition) -> Fence | None:
        """The fence as stored."""
        row = await self._pool.fetchrow(READ, self._group, *partition)
        return None if row is None else Fence(row["epoch"], row["next_offset"])

    @asynccontextmanager
    async def fenced(
        self, partition: Partition, fence: Fence, next_offset: int, gap: int
    ) -> AsyncIterator[Session]:
        """A transaction whose first act moved the fence; `FencedError` if it is not ours."""
        FAULTS.reach("postgres.before_begin")
        async with self._pool.acquire() as connection:
            async with connection.transaction():
                await connection.execute(LIMITS)
                moved = await connection.execute(
                    MOVE, self._group, *partition, *fence, next_offset, gap
                )
                if moved != "UPDATE 1":
                    raise FencedError(f"{self._group} {partition} epoch {fence.epoch}")
                yield connection
                FAULTS.reach("postgres.in_transaction")
            FAULTS.reach("postgres.after_commit")

    async def count(self, connection: Session, partition: Partition, verdicts: Verdicts) -> None:
        """Add to the partition's counters, inside the batch's transaction."""
        await connection.execute(COUNT, self._group, *partition, *verdicts)
