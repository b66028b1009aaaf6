"""What stays of looks over time, as Postgres keeps it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from services.abtest.domain.history import MOST_SLOTS, SHORTEST
from services.abtest.domain.memory import NOTHING
from services.abtest.domain.steering import Due
from services.abtest.store.results import PostgresResults
from shared.experiments.results import ResultsAnswer
from tests.integration.abtest.conftest import World
from tests.support.abtests import look as looked
from tests.support.abtests import successes

Said = tuple[float, float]
EVEN, BETTER = (-0.1, 0.1), (0.01, 0.2)
SLOT = SHORTEST.total_seconds()
OLD = MOST_SLOTS * SLOT


def answer(test_id: UUID, at: datetime, said: Said) -> ResultsAnswer:
    """Results of 6,000 units whose interval is as said."""
    found, _ = looked(successes((3_000, 0.9), (3_000, 0.9)))
    low, high = said
    ends = {"low": low, "high": high, "difference": (low + high) / 2}
    rows = tuple(one.model_copy(update=ends) for one in found.comparisons)
    return found.model_copy(update={"test_id": test_id, "as_of": at, "comparisons": rows})


class Looks:
    """Looks at one test, each as abtest takes one."""

    def __init__(self, world: World, pool: asyncpg.Pool, test_id: UUID, since: datetime) -> None:
        self._world = world
        self._store = PostgresResults(pool)
        self._test_id = test_id
        self._since = since

    async def take(self, after_s: float, said: Said, *, dies: bool = False) -> None:
        """A look so many seconds after the start."""
        rows = await self._world.sql(
            "SELECT max(computed_at) AS at FROM ab_results WHERE test_id = $1", self._test_id
        )
        at = self._since + timedelta(seconds=after_s)
        async with self._store.looking(Due("acme", self._test_id, rows[0]["at"])) as look:
            assert look is not None
            await look.keep(answer(self._test_id, at, said), NOTHING)
            if dies:
                raise ArithmeticError

    async def kept(self) -> list[tuple[float, Said, bool]]:
        """Seconds after the start, the interval, and whether it is the first without zero."""
        rows = await self.rows("extract(epoch FROM at)::float8 AS at, low, high, is_first")
        start = self._since.timestamp()
        return [
            (round(row["at"] - start, 3), (row["low"], row["high"]), row["is_first"])
            for row in rows
        ]

    async def rows(self, columns: str) -> list[Any]:
        """Columns of all that is kept."""
        return await self._world.sql(
            f"SELECT {columns} FROM ab_results_history WHERE test_id = $1"
            " ORDER BY ab_results_history.at, is_first DESC",
            self._test_id,
        )


@pytest.fixture
async def looks(surroundings: World, pool: asyncpg.Pool, request: pytest.FixtureRequest) -> Looks:
    """Looks at a test of which there was none."""
    test_id = await surroundings.begin(request.node.name[:60])
    rows = await surroundings.sql("SELECT started_at FROM ab_tests WHERE test_id = $1", test_id)
    return Looks(surroundings, pool, test_id, rows[0]["started_at"])


async def test_each_slot_keeps_its_last_look(looks: Looks) -> None:
    for after_s in (1, 2, SLOT + 1, SLOT + 2, SLOT + 3):
        await looks.take(after_s, EVEN)
    assert await looks.kept() == [(2, EVEN, False), (SLOT + 3, EVEN, False)]


async def test_the_same_look_again_writes_nothing(looks: Looks) -> None:
    await looks.take(1, EVEN)
    await looks.take(2, BETTER)
    written = await looks.rows("ctid, xmin, *")
    await looks.take(2, BETTER)
    assert await looks.rows("ctid, xmin, *") == written


async def test_of_two_looks_at_one_instant_the_later_holds(looks: Looks) -> None:
    await looks.take(1, EVEN)
    await looks.take(1, BETTER)
    assert await looks.kept() == [(1, BETTER, True), (1, BETTER, False)]


async def test_the_first_look_without_zero_stays_whatever_comes(looks: Looks) -> None:
    for after_s, said in ((1, EVEN), (2, BETTER), (3, EVEN), (4, BETTER), (5, EVEN)):
        await looks.take(after_s, said)
    await looks.take(OLD, EVEN)
    assert await looks.kept() == [(2, BETTER, True), (5, EVEN, False), (OLD, EVEN, False)]


async def test_an_older_test_is_thinned_everywhere(looks: Looks) -> None:
    for number in range(4):
        await looks.take(number * SLOT, EVEN)
    assert len(await looks.kept()) == 4
    await looks.take(OLD, EVEN)
    assert [at for at, *_ in await looks.kept()] == [SLOT, 3 * SLOT, OLD]


async def test_a_look_that_does_not_hold_leaves_nothing(looks: Looks) -> None:
    with pytest.raises(ArithmeticError):
        await looks.take(1, BETTER, dies=True)
    assert await looks.kept() == []


async def test_what_is_kept_goes_with_its_test(looks: Looks, surroundings: World) -> None:
    await looks.take(1, BETTER)
    await surroundings.sql("DELETE FROM ab_tests WHERE test_id = $1", looks._test_id)
    assert await looks.kept() == []
