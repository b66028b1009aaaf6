"""Where batches of feedback stay: one transaction per batch, behind the fence."""

from asyncpg import Pool

from services.feedback.domain.batch import Batch, Outcome
from services.feedback.domain.said import PseudonymOf, said
from services.feedback.domain.sentiment.labels import Scorer
from services.feedback.queries import analysis, due
from shared.delivery.plan import Fence, Partition
from shared.delivery.postgres import PostgresFence, Verdicts


class PostgresBatches:
    """What was said, behind the fence of group `feedback`."""

    def __init__(self, pool: Pool, group: str, scorer: Scorer, pseudonym: PseudonymOf) -> None:
        self._pool = pool
        self._fence = PostgresFence(pool, group)
        self._scorer = scorer
        self._pseudonym = pseudonym

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
        async with self._fence.fenced(partition, fence, next_offset, gap) as connection:
            # Asked each time: a tenant that has just been made must lose nothing here.
            tenants = await analysis.content_free(connection, batch.tenants)
            rows = [
                said(
                    event,
                    self._scorer,
                    self._pseudonym,
                    content_free=tenants[event.tenant_id],
                )
                for event in batch.events
                if event.tenant_id in tenants
            ]
            new = await analysis.insert(connection, rows) if rows else []
            await due.note(connection, new)
            outcome = Outcome(
                len(new), len(rows) - len(new), len(batch.events) - len(rows), batch.invalid
            )
            verdicts = Verdicts(
                outcome.accepted + outcome.ignored, outcome.duplicates, outcome.invalid
            )
            await self._fence.count(connection, partition, verdicts)
        return outcome

    async def check_schema(self) -> None:
        """Raise until the migrations have run."""
        await self._pool.fetchval("SELECT count(*) FROM feedback_due WHERE false")
