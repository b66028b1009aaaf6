"""Follows ingest: operations that were stored after somebody had spoken of them are due."""

from asyncpg import Pool

from services.feedback.queries import due, following
from shared.delivery.columns import ALWAYS_PLAN
from shared.delivery.faults import FAULTS
from shared.delivery.postgres import LIMITS

# Offsets at once: some hundred milliseconds.
SPAN = 50_000
ONE_FOLLOWER = "SELECT pg_try_advisory_xact_lock(hashtext('assay.feedback-follow'))"


class PostgresFollowing:
    """How far group `feedback` has followed ingest in a topic of operations."""

    def __init__(self, pool: Pool, group: str, topic: str) -> None:
        self._pool = pool
        self._group = group
        self._topic = topic

    async def begin(self) -> None:
        """Follow from here on, if no feedback was ever read; before any is."""
        async with self._pool.acquire() as connection:
            await following.begin(connection, self._group, self._topic)

    async def follow(self) -> int:
        """Note what ingest has stored meanwhile and somebody had spoken of; answers how much.

        One snapshot for fences and rows: what it does not see, it does not move over.
        """
        found = 0
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read"),
        ):
            await connection.execute(LIMITS)
            await connection.execute(ALWAYS_PLAN)
            if not await connection.fetchval(ONE_FOLLOWER):
                return 0  # another process is at it
            for row in await following.behind(connection, self._group, self._topic):
                since = row["since"] if row["since"] <= row["until"] else 0  # the log began anew
                until = min(row["until"], since + SPAN)
                keys = await following.spoken_of(
                    connection, self._topic, row["partition"], since, until
                )
                await due.note(connection, keys)
                await following.move(
                    connection,
                    self._group,
                    self._topic,
                    row["partition"],
                    (row["since"], until),
                    len(keys),
                )
                FAULTS.reach("feedback.followed")
                found += len(keys)
        return found
