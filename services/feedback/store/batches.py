"""Where batches of feedback stay: one transaction per batch, behind the fence."""

import asyncio

from asyncpg import Pool

from services.feedback.domain.batch import Batch, Outcome
from services.feedback.domain.said import said
from services.feedback.domain.sentiment.labels import Scorer, Sentiment
from services.feedback.queries import analysis, due
from shared.delivery.plan import Fence, Partition
from shared.delivery.postgres import PostgresFence, Verdicts
from shared.privacy.known import KnownMarks
from shared.privacy.names import Names

READ_AT_ONCE = 50


class PostgresBatches:
    """What was said, behind the fence of group `feedback`."""

    def __init__(self, pool: Pool, group: str, scorer: Scorer, names: Names) -> None:
        self._pool = pool
        self._fence = PostgresFence(pool, group)
        self._scorer = scorer
        self._pseudonym = names.pseudonym
        self._marks = KnownMarks(names)

    async def claim(self, partition: Partition, log_start: int) -> Fence:
        """Take a partition over."""
        return await self._fence.claim(partition, log_start)

    async def read(self, partition: Partition) -> Fence | None:
        """The fence as stored."""
        return await self._fence.read(partition)

    async def write(
        self, partition: Partition, fence: Fence, batch: Batch, next_offset: int, gap: int
    ) -> Outcome:
        """Keep what was said, and note whose rows are to be made anew."""
        # Before the transaction: a scorer of one's own may be slow, and the fence waits for nobody.
        readings = await self._read(batch)
        async with self._fence.fenced(partition, fence, next_offset, gap) as connection:
            # Asked each time: a tenant that has just been made must lose nothing here.
            tenants = await analysis.content_free(connection, batch.tenants)
            gone = await self._marks.erased(connection, batch.events)
            rows = [
                said(event, reading, self._pseudonym, content_free=tenants[event.tenant_id])
                for place, (event, reading) in enumerate(zip(batch.events, readings, strict=True))
                if event.tenant_id in tenants and place not in gone
            ]
            new = await analysis.insert(connection, rows) if rows else []
            await due.note(connection, new)
            ignored = len(batch.events) - len(rows) - len(gone)
            outcome = Outcome(len(new), len(rows) - len(new), ignored, batch.invalid, len(gone))
            verdicts = Verdicts(
                *(outcome.accepted + outcome.ignored, outcome.duplicates),
                *(outcome.invalid, outcome.erased),
            )
            await self._fence.count(connection, partition, verdicts)
        return outcome

    async def _read(self, batch: Batch) -> list[Sentiment | None]:
        """How each comment is read; others have their turn meanwhile."""
        found: list[Sentiment | None] = []
        for number, event in enumerate(batch.events):
            found.append(self._scorer(event.comment) if event.comment else None)
            if number % READ_AT_ONCE == READ_AT_ONCE - 1:
                await asyncio.sleep(0)
        return found

    async def check_schema(self) -> None:
        """Raise until the migrations have run."""
        await self._pool.fetchval("SELECT count(*) FROM feedback_due WHERE false")
