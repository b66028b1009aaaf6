"""Operations by agent and version are read on while they are stored: each counts once."""

import asyncio
from collections.abc import Iterable

import asyncpg

from services.metrics.domain.rows import VERSIONS, Lens, Position, agent
from services.metrics.queries import rows as queries
from shared.alerts.slots import MOST_NAMES, Stored
from shared.measures.cells import Cell, add_into
from tests.integration.metrics.both import Stores
from tests.support.events import now_text, operation

Sums = dict[tuple[str, tuple[str, ...], int], Cell]
SHORT, LONG = agent("one", "1h"), agent("two", "24h")
LENSES = (SHORT, LONG, VERSIONS)
SENT = 3_000


class Reader:
    """Reads as metrics does, and adds it all up."""

    def __init__(self, pool: asyncpg.Pool, topic: str) -> None:
        self._pool, self._topic = pool, topic
        self.since: dict[Lens, Position] = {}
        self.sums: dict[Lens, Sums] = {}

    async def load(self, lens: Lens) -> None:
        """The past of one more lens."""
        self.sums[lens] = {}
        async for position, stored in queries.past(self._pool, self._topic, "acme", lens):
            self.since[lens] = position
            self._add(lens, stored)

    async def read_on(self) -> None:
        """What came since."""
        found = await queries.later(self._pool, self._topic, "acme", self.since)
        assert found is not None
        for lens, stored in found[1].items():
            self._add(lens, stored)
            self.since[lens] = found[0]

    def _add(self, lens: Lens, stored: Iterable[Stored]) -> None:
        for one in stored:
            add_into(self.sums[lens].setdefault((one.name, one.series, one.start), {}), one.cell)


async def send(stores: Stores, start: int, count: int) -> None:
    """Operations of several agents and versions, now and hours ago, some of them twice."""
    events = [
        operation(
            number,
            agent_id=("one", "two", "three", None)[number % 4],
            model_version=("v1", "v2", None)[number % 3],
            occurred_at=now_text(ago_s=number % 7 * 3_000 + number % 100),
        )
        for number in range(start, start + count)
    ]
    await stores.send("operations", *events, *events[::17])


async def test_what_is_read_on_is_what_is_read_at_once(stores: Stores) -> None:
    topic = f"{stores.prefix}operations.v1"
    async with asyncpg.create_pool(stores.dsns["metrics"], min_size=0, max_size=2) as pool:
        reader, readings = Reader(pool, topic), 0
        sending = asyncio.ensure_future(send(stores, 100_000, SENT))
        while readings < 7 or not sending.done():
            if readings % 2 == 0 and len(reader.since) < len(LENSES):
                # As if by a new rule: it catches up with the others.
                await reader.load(LENSES[len(reader.since)])
            await reader.read_on()
            readings += 1
        await sending
        await stores.all_consumed()
        await reader.read_on()

        at_once = Reader(pool, topic)
        for lens in LENSES:
            await at_once.load(lens)
        # An hour may have begun since the first reading: what was then is not read again.
        oldest = min(start for _, _, start in at_once.sums[SHORT])
        reader.sums[SHORT] = {k: v for k, v in reader.sums[SHORT].items() if k[2] >= oldest}
        assert reader.sums == at_once.sums
        assert {name for name, _, _ in reader.sums[VERSIONS]} == {"v1", "v2"}
        assert sum(cell["n"] for cell in reader.sums[LONG].values()) == SENT // 4
        assert sum(cell["n"] for cell in reader.sums[VERSIONS].values()) == SENT // 3 * 2


async def test_a_log_that_began_anew_is_noticed(stores: Stores) -> None:
    topic = f"{stores.prefix}operations.v1"
    async with asyncpg.create_pool(stores.dsns["metrics"], min_size=0, max_size=1) as pool:
        reader = Reader(pool, topic)
        await reader.load(SHORT)
        position = reader.since[SHORT]
        ahead = Position({place: end + 1 for place, end in position.ends.items()}, position.at)
        assert await queries.later(pool, topic, "acme", {SHORT: ahead}) is None
        again = await queries.later(pool, topic, "acme", {SHORT: position})
        assert again is not None
        assert again[1] == {SHORT: []}


async def test_of_versions_without_number_the_most_frequent_are_read(stores: Stores) -> None:
    topic = f"{stores.prefix}operations.v1"
    at = now_text()
    names = [f"call-{number}" for number in range(2 * MOST_NAMES)] + ["real"] * 50
    await stores.send(
        "operations",
        *(
            operation(500_000 + number, model_id="many", model_version=name, occurred_at=at)
            for number, name in enumerate(names)
        ),
    )
    await stores.all_consumed()
    async with asyncpg.create_pool(stores.dsns["metrics"], min_size=0, max_size=1) as pool:
        async for _, stored in queries.past(pool, topic, "acme", VERSIONS):
            found = {one.name for one in stored if one.series.model_id == "many"}
            assert not found or "real" in found
            assert len(found) <= MOST_NAMES


async def test_a_fast_clock_does_not_date_a_version_ahead(stores: Stores) -> None:
    topic = f"{stores.prefix}operations.v1"
    ahead = now_text(ago_s=-3_000)
    await stores.send(
        "operations",
        operation(600_000, model_id="fast", model_version="v1", occurred_at=ahead),
    )
    await stores.all_consumed()
    async with asyncpg.create_pool(stores.dsns["metrics"], min_size=0, max_size=1) as pool:
        async for position, stored in queries.past(pool, topic, "acme", VERSIONS):
            for one in stored:
                assert one.start <= position.at.timestamp()
