"""Make A/B tests' units and sums anew from their events, also while traffic flows."""

from collections.abc import Callable

from deploy.jobs.where import Where, connected
from services.abtest.domain.recounting import Recounted
from services.abtest.store.recounting import PostgresRecount


async def recount_tests(
    where: Where, tell: Callable[[int, int], None] = lambda done, total: None
) -> list[Recounted]:
    """Recount every test; `tell` hears how many are done, and of how many."""
    async with connected(where) as (pool, _):
        store = PostgresRecount(pool)
        found = []
        tests = await store.tests()
        for done, one in enumerate(tests):
            tell(done, len(tests))
            found.append(await store.recount(*one))
        tell(len(tests), len(tests))
    return found
