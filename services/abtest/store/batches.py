"""Where abtest's batches stay: one transaction per batch, behind the fence."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import timedelta

from asyncpg import Pool

from services.abtest.domain.batch import Batch, Concerned, Outcome, concerned
from services.abtest.domain.candidates import (
    Judged,
    Opinion,
    Price,
    judged_by,
    of_opinion,
)
from services.abtest.domain.live import Tests
from services.abtest.domain.rows import Candidate
from services.abtest.queries import events, waiting
from services.abtest.store.keeping import keep
from services.abtest.store.known import KnownTests
from shared.delivery.plan import Fence, Partition
from shared.delivery.postgres import LIMITS, PostgresFence, Session, Verdicts
from shared.privacy.known import KnownMarks
from shared.privacy.names import Names
from shared.topics import Topic

JOINER = -1
# To look through days of what waits takes longer than a batch may, and keeps nobody waiting.
PATIENT_FROM = timedelta(hours=1)
PATIENT = "SET LOCAL statement_timeout = '15min'"
MOST_COUNTED = 100_000
SHARDS_OF_A_TOPIC = 10_000
TOPICS = (Topic.OPERATIONS, Topic.FEEDBACK, Topic.EXPOSURES)
ONE_JOINER = "SELECT pg_try_advisory_xact_lock(hashtext('assay.abtest-join'))"


class PostgresBatches:
    """Units and sums of group `abtest`, behind its fence."""

    def __init__(self, pool: Pool, group: str, price: Price, names: Names) -> None:
        self._pool = pool
        self._fence = PostgresFence(pool, group)
        self._price = price
        self._pseudonym = names.pseudonym
        self._marks = KnownMarks(names)
        self._known = KnownTests()

    async def claim(self, partition: Partition, log_start: int) -> Fence:
        """Take a partition over."""
        return await self._fence.claim(partition, log_start)

    async def read(self, partition: Partition) -> Fence | None:
        """The fence as stored."""
        return await self._fence.read(partition)

    async def write(
        self, partition: Partition, fence: Fence, batch: Batch, next_offset: int, gap: int
    ) -> Outcome:
        """Store what of a batch concerns tests, and all that follows, in one transaction."""
        async with self._fence.fenced(partition, fence, next_offset, gap) as connection:
            tests: Tests = {}
            gone = await self._marks.erased(connection, batch.events) if batch.events else {}
            if gone:
                batch = batch.without(gone)
            if batch.events:
                # Inside the transaction: an event made after a start always finds its test.
                tests = await self._known.of(connection, batch.tenants, batch.began_at)
            found = concerned(batch, tests, self._pseudonym, self._price)
            rows = found.rows + await _joined(connection, found, tests)
            new = await keep(connection, rows, tests, _shard(partition), batch.arrived_at)
            outcome = _outcome(batch, found, rows, new)._replace(erased=len(gone))
            accepted = outcome.accepted + outcome.ignored
            verdicts = Verdicts(accepted, outcome.duplicates, outcome.invalid, len(gone))
            await self._fence.count(connection, partition, verdicts)
        return outcome

    async def join_missed(self, within: timedelta, most: int) -> int:
        """Join feedback that waits though its operation is there; answers how many."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(LIMITS)
            if within > PATIENT_FROM:
                await connection.execute(PATIENT)
            if not await connection.fetchval(ONE_JOINER):
                return 0
            opinions = await waiting.take_missed(connection, within, most)
            if opinions:
                tenants = sorted({one.tenant_id for one in opinions})
                began_at = min(one.occurred_at for one in opinions)
                tests = await self._known.of(connection, tenants, began_at)
                judged = await events.judged(connection, _operations(opinions))
                rows = _rows(opinions, judged, tests)
                as_of = max(one.arrived_at for one in opinions)
                await keep(connection, rows, tests, JOINER, as_of)
            return len(opinions)

    async def waiting(self) -> int:
        """How much feedback waits for its operation."""
        async with self._pool.acquire() as connection:
            return await waiting.count(connection, MOST_COUNTED)

    async def check_schema(self) -> None:
        """Raise until the migrations have run."""
        await self._pool.fetchval("SELECT count(*) FROM ab_results_history WHERE false")


async def _joined(connection: Session, found: Concerned, tests: Tests) -> list[Candidate]:
    """Feedback with its operation, where both are there; the rest of it waits."""
    if found.opinions:
        judged = await events.judged(connection, _operations(found.opinions))
        early = [one for one in found.opinions if (one.tenant_id, one.operation_id) not in judged]
        if early:
            await waiting.insert(connection, early)
        return _rows(found.opinions, judged, tests)
    came = {(row.tenant_id, row.operation_id) for row in found.rows if row.operation_id}
    said = await waiting.take_for(connection, came) if came else []
    if not said:
        return []
    of = set(_operations(said))
    rows = (row for row in found.rows if (row.tenant_id, row.operation_id) in of)
    return _rows(said, judged_by(rows), tests)


def _rows(
    opinions: Collection[Opinion], judged: dict[tuple[str, str], list[Judged]], tests: Tests
) -> list[Candidate]:
    return [
        row
        for one in opinions
        for row in of_opinion(
            one, judged.get((one.tenant_id, one.operation_id), ()), tests.get(one.tenant_id, {})
        )
    ]


def _operations(opinions: Collection[Opinion]) -> list[tuple[str, str]]:
    return sorted({(one.tenant_id, one.operation_id) for one in opinions})


def _shard(partition: Partition) -> int:
    """Where this partition's differences are added: nobody else adds there."""
    place = next(at for at, topic in enumerate(TOPICS) if partition.topic.endswith(topic))
    return place * SHARDS_OF_A_TOPIC + partition.partition


def _outcome(
    batch: Batch, found: Concerned, rows: Sequence[Candidate], new: Sequence[Candidate]
) -> Outcome:
    """What became of a batch's events; one that concerns two tests is one."""
    if len(new) == len(rows) and not found.opinions:
        accepted, duplicates = found.concerning, 0  # as nearly always: all are new
    else:
        accepted, duplicates = _counted(batch, rows, new)
    ignored = len(batch.events) - accepted - duplicates
    return Outcome(accepted, duplicates, ignored, batch.invalid, Counter(found.ignored))


def _counted(batch: Batch, rows: Sequence[Candidate], new: Sequence[Candidate]) -> tuple[int, int]:
    """How many events are told of for the first time, and how many again."""
    told = {(row.tenant_id, row.event_id, row.occurred_at) for row in rows}
    fresh = {(row.tenant_id, row.event_id, row.occurred_at) for row in new}
    accepted = duplicates = 0
    met: set[tuple[object, ...]] = set()
    for event in batch.events:
        key = event.identity
        if key in fresh and key not in met:
            accepted += 1
        elif key in told:
            duplicates += 1
        met.add(key)
    return accepted, duplicates
