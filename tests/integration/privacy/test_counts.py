"""Live cells and minutes agree after an erasure: nothing counts twice, nothing goes missing."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg

from services.metrics.domain.difference import Range
from services.metrics.queries import evidence, snapshot
from services.metrics.store.cells import KEPT_S, SEEN_TTL_S
from shared.codec import microseconds
from shared.measures.identity import digest_of
from tests.integration.privacy.parts import OPERATIONS, Gateway, Ingest
from tests.support.events import operation

ANNA = "anna-of-acme"


def name_of(event: dict[str, str]) -> bytes:
    """The digest by which metrics knows that it has counted an event."""

    at = microseconds(datetime.fromisoformat(event["occurred_at"]))
    return digest_of("acme", UUID(event["event_id"]), at)


async def test_a_rebuild_knows_what_was_counted_and_is_erased(
    gateway: Gateway, ingest: Ingest, dsns: dict[str, str]
) -> None:
    stored, late, other = (operation(n, user_id=ANNA) for n in (1, 2, 3))
    other["user_id"] = "bob"
    await ingest.take(OPERATIONS, [stored, other])
    await gateway.erase(user_id=ANNA)
    await ingest.settle()
    await ingest.take(OPERATIONS, [late])
    async with asyncpg.create_pool(dsns["metrics"], min_size=0, max_size=2) as pool:
        taken = await snapshot.take(pool, OPERATIONS, datetime.now(UTC), KEPT_S, SEEN_TTL_S)
    seen = {one for bucket in taken.seen.values() for one in bucket}
    assert {name_of(stored), name_of(late), name_of(other)} <= seen
    assert sum(cell.get("n", 0) for cell in taken.minutes.values()) == 3


async def test_nothing_is_compared_that_only_an_erased_row_could_tell(
    gateway: Gateway, ingest: Ingest, dsns: dict[str, str]
) -> None:
    await ingest.take(OPERATIONS, [operation(1, user_id="bob"), operation(2, user_id=ANNA)])
    await gateway.erase(user_id=ANNA)
    await ingest.settle()
    hour = timedelta(hours=1)
    now = datetime.now(UTC)
    wanted = [Range("acme", int((now - hour).timestamp()), int((now + hour).timestamp()))]
    async with asyncpg.create_pool(dsns["metrics"], min_size=0, max_size=2) as pool:
        # Cells that have read the first record only cannot know what the second one was.
        assert await evidence.evidence(pool, OPERATIONS, 1, 100, wanted, {}) is None
        whole = await evidence.evidence(pool, OPERATIONS, 2, 100, wanted, {})
    assert whole is not None
    assert sum(cell["n"] for cell in whole.minutes.values()) == 2
    assert whole.later == {}
