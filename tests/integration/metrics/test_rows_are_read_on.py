"""Operations by agent and version are read on while they are stored: each counts once."""

import asyncio
from collections.abc import Iterable

import asyncpg

from services.metrics.domain.rows import LONG_S, SHORT_S, Agent, Position, Read, Wanted
from services.metrics.queries import rows as queries
from shared.alerts.slots import Stored
from shared.measures.cells import Cell, add_into
from tests.integration.metrics.both import Stores
from tests.support.events import now_text, operation

Sums = dict[tuple[str, tuple[str, ...], int], Cell]
SHORT, LONG = Agent("one", SHORT_S), Agent("two", LONG_S)
WANTED = Wanted(frozenset({SHORT, LONG}), versions=True)
SENT = 3_000


def add(sums: Sums, stored: Iterable[Stored]) -> None:
    for one in stored:
        add_into(sums.setdefault((one.name, one.series, one.start), {}), one.cell)


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
    sums: dict[Agent | None, Sums] = {SHORT: {}, LONG: {}, None: {}}
    async with asyncpg.create_pool(stores.dsns["metrics"], min_size=0, max_size=2) as pool:

        async def read_on(
            wanted: Wanted, known: Wanted, since: Position | None
        ) -> tuple[Read, Position]:
            found = await queries.read(pool, topic, "acme", wanted, known, since)
            assert found is not None
            return found

        since, known, readings = None, Wanted(), 0
        sending = asyncio.ensure_future(send(stores, 100_000, SENT))
        while known != WANTED or not sending.done() or readings < 5:
            # The second agent is asked for later, as if by a new rule.
            wanted = WANTED if readings > 1 else Wanted(frozenset({SHORT}), versions=True)
            read, since = await read_on(wanted, known, since)
            for agent, stored in read.agents.items():
                add(sums[agent], stored)
            add(sums[None], read.versions)
            known, readings = wanted, readings + 1
        await sending
        await stores.all_consumed()
        read, since = await read_on(WANTED, known, since)
        for agent, stored in read.agents.items():
            add(sums[agent], stored)
        add(sums[None], read.versions)

        whole, _ = await read_on(WANTED, Wanted(), None)
        at_once: dict[Agent | None, Sums] = {SHORT: {}, LONG: {}, None: {}}
        for agent, stored in whole.agents.items():
            add(at_once[agent], stored)
        add(at_once[None], whole.versions)
        # An hour may have begun since the first reading: what was then is not read again.
        oldest = min(start for _, _, start in at_once[SHORT])
        sums[SHORT] = {key: cell for key, cell in sums[SHORT].items() if key[2] >= oldest}
        assert sums == at_once
        names = {name for name, _, _ in sums[None]}
        assert names == {"v1", "v2"}
        assert sum(cell["n"] for cell in sums[LONG].values()) == SENT // 4
        assert sum(cell["n"] for cell in sums[None].values()) == SENT // 3 * 2


async def test_a_log_that_began_anew_is_noticed(stores: Stores) -> None:
    topic = f"{stores.prefix}operations.v1"
    async with asyncpg.create_pool(stores.dsns["metrics"], min_size=0, max_size=1) as pool:
        found = await queries.read(pool, topic, "acme", WANTED, Wanted(), None)
        assert found is not None
        position = found[1]
        ahead = Position({place: end + 1 for place, end in position.ends.items()}, position.at)
        assert await queries.read(pool, topic, "acme", WANTED, WANTED, ahead) is None
        again = await queries.read(pool, topic, "acme", WANTED, WANTED, position)
        assert again is not None
        assert not any(again[0].agents.values())
        assert not again[0].versions
