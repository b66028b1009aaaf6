"""What rules ask of single operations: counted once, forgotten in time, silent while unknown."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.metrics.domain.alerting import KeptRule, RuleBook
from services.metrics.domain.rows import VERSIONS, Lens, Position, Sight, agent, wanted_by
from services.metrics.service import rows as service
from services.metrics.service.behind import PATIENCE_S, Behind
from services.metrics.service.rows import STALE_S, RowKeeper
from shared.alerts.grouping import Grouped
from shared.alerts.rule import AlertRule
from shared.alerts.slots import Stored
from shared.measures.cells import HOUR, MINUTE, Series
from tests.support.waiting import eventually

NOON = datetime(2027, 1, 15, 12, tzinfo=UTC)
NOW = NOON.timestamp()
SERIES = Series("m", "production", "chat", "")


def rule(**fields: Any) -> AlertRule:
    asked: dict[str, Any] = {"name": "r", "operator": ">", "warning": 0.2}
    if "baseline" in fields:
        asked = {"name": "r"}
    return AlertRule.model_validate(asked | fields)


OF_AGENT = rule(filter={"agent_id": "a"})
OF_AGENT_DAY = rule(filter={"agent_id": "a"}, window="24h")
OF_VERSION = rule(baseline={"kind": "previous_version", "delta": 0.1})
SHORT, LONG = agent("a", "5m"), agent("a", "24h")


def book(*rules: AlertRule) -> RuleBook:
    return RuleBook({"acme": [KeptRule(UUID(int=n), one) for n, one in enumerate(rules, 1)]})


def stored(name: str, ago_s: float, n: int = 10, series: Series = SERIES) -> Stored:
    start = int(NOW - ago_s) // MINUTE * MINUTE
    return Stored(name, series, start, {"n": n, "ok": n}, NOW - ago_s)


def sample(sight: Sight, asked: AlertRule) -> int:
    cells = sight.seen(asked, "m", 0.0).cells(asked.window, asked).values()
    return sum(cell.get("n", 0) for cell in cells)


def test_what_rules_ask_for_is_what_is_read() -> None:
    assert wanted_by(book(rule())) == {}
    wanted = wanted_by(book(rule(), OF_AGENT, rule(filter={"agent_id": "a"}, window="5m")))
    assert wanted == {"acme": frozenset({SHORT})}
    wanted = wanted_by(book(OF_AGENT, OF_AGENT_DAY, OF_VERSION))
    assert wanted == {"acme": frozenset({SHORT, LONG, VERSIONS})}


def test_an_agent_is_summed_over_the_rule_s_window_and_time_passes() -> None:
    short, long = Sight("acme", SHORT, NOW), Sight("acme", LONG, NOW)
    for more in ([stored("a", 5 * HOUR, 7), stored("a", HOUR / 2)], [stored("a", 60)]):
        for sight in (short, long):
            sight.add(more)
            sight.pass_time(NOW)
    assert (sample(short, OF_AGENT), sample(long, OF_AGENT_DAY)) == (20, 27)
    short.pass_time(NOW + HOUR / 2 + 2 * MINUTE)
    assert sample(short, OF_AGENT) == 10
    long.pass_time(NOW + 26 * HOUR)
    assert sample(long, OF_AGENT_DAY) == 0


@pytest.mark.parametrize(("asked", "lens"), [(OF_AGENT, SHORT), (OF_AGENT_DAY, LONG)])
def test_silence_of_two_windows_is_seen_also_after_a_restart(asked: AlertRule, lens: Lens) -> None:
    window_s = HOUR if lens is SHORT else 24 * HOUR
    sight = Sight("acme", lens, NOW)
    other = SERIES._replace(environment="staging")
    sight.add([stored("a", 2.5 * window_s), stored("a", 60, series=other)])
    sight.pass_time(NOW)
    arrivals = sight.seen(asked, "m", 0.0).arrivals(asked)
    by_environment = {dict(group.labels)["environment"]: at for group, at in arrivals.items()}
    assert by_environment == {"production": NOW - 2.5 * window_s, "staging": NOW - 60}
    sight.pass_time(NOW + 5 * window_s)
    assert len(sight.seen(asked, "m", 0.0).arrivals(asked)) < 2


def test_many_series_are_put_a_place_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    sight = Sight("acme", SHORT, NOW)
    puts = []
    put = sight._windows.put
    monkeypatch.setattr(sight._windows, "put", lambda *a, **k: puts.append(1) or put(*a, **k))  # type: ignore[func-returns-value]
    series = [SERIES._replace(variant=str(number)) for number in range(500)]
    sight.add([stored("a", 60, series=one) for one in series])
    assert len(puts) == 2
    assert sample(sight, OF_AGENT) == 5_000


class World:
    """Postgres, the clock, and how far ingest is."""

    def __init__(self) -> None:
        self.now = NOON
        self.book: RuleBook | None = book(OF_AGENT)
        self.rows: list[Stored] = []
        self.readings = self.pasts = 0
        self.fails = self.anew = self.behind = False
        self.keeper = RowKeeper(self, lambda _: self.behind, lambda: self.now)

    async def past(
        self, tenant_id: str, lens: Lens
    ) -> AsyncIterator[tuple[Position, list[Stored]]]:
        assert tenant_id == "acme"
        self.pasts += 1
        if self.fails:
            raise OSError("away")
        position = Position({0: len(self.rows)}, self.now)
        yield position, []
        for one in list(self.rows):
            yield position, [one]

    async def later(
        self, tenant_id: str, since: Mapping[Lens, Position]
    ) -> tuple[Position, dict[Lens, list[Stored]]] | None:
        self.readings += 1
        if self.fails:
            raise OSError("away")
        if self.anew:
            self.anew = False
            return None
        found = {lens: self.rows[one.ends[0] :] for lens, one in since.items()}
        return Position({0: len(self.rows)}, self.now), found

    def sample(self, asked: AlertRule = OF_AGENT) -> int | None:
        seen = self.keeper.seen(asked, ("acme", "m"), 0.0)
        if seen is None:
            return None
        return sum(cell["n"] for cell in seen.cells(asked.window, asked).values())

    async def reads(self) -> None:
        """Wait for a reading that began after now."""
        await self.comes(lambda before=self.readings: self.readings >= before + 2)  # type: ignore[misc]

    async def comes(self, what: Callable[[], bool]) -> None:
        """Wait for something."""
        await eventually(what, why="it comes", deadline_s=10)


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(service, "READ_EVERY_S", 0.01)
    monkeypatch.setattr(service, "AGAIN_AFTER_S", 0.0)
    found = World()
    task = asyncio.ensure_future(found.keeper.run(lambda: found.book))
    yield found
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_each_operation_is_counted_once(world: World) -> None:
    world.rows += [stored("a", 60), stored("a", 120)]
    await world.comes(lambda: world.sample() == 20)
    world.rows.append(stored("a", 30, 5))
    await world.reads()
    await world.reads()
    assert world.sample() == 25
    assert world.keeper.seen(OF_AGENT, ("globex", "m"), 0.0) is None
    assert world.sample(rule(filter={"agent_id": "b"})) is None


async def test_a_lens_that_is_new_is_looked_through_once_it_has_caught_up(world: World) -> None:
    world.rows += [stored("a", 60), stored("a", 5 * HOUR)]
    await world.comes(lambda: world.sample() == 10)
    world.book = book(OF_AGENT, OF_AGENT_DAY)
    seen: set[int | None] = set()

    def has_come() -> bool:
        seen.add(world.sample(OF_AGENT_DAY))
        return 20 in seen

    await world.comes(has_come)
    assert seen <= {None, 20}
    world.book = book(OF_AGENT_DAY)
    await world.comes(lambda: world.sample() is None)
    world.book = book(OF_AGENT_DAY, OF_AGENT)
    await world.comes(lambda: world.sample() == 10)


async def test_while_postgres_is_away_what_is_known_grows_old(world: World) -> None:
    world.rows.append(stored("a", 60))
    await world.comes(lambda: world.sample() == 10)
    world.fails = True
    world.now += timedelta(seconds=STALE_S / 2)
    await world.reads()
    assert world.sample() == 10
    world.now += timedelta(seconds=STALE_S)
    assert world.sample() is None
    world.fails = False
    await world.comes(lambda: world.sample() == 10)


async def test_when_the_log_begins_anew_all_is_read_again(world: World) -> None:
    world.rows.append(stored("a", 60))
    await world.comes(lambda: world.sample() == 10)
    before, world.anew = world.pasts, True
    await world.comes(lambda: world.pasts > before)
    await world.comes(lambda: world.sample() == 10)


async def test_what_could_not_be_counted_is_not_half_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.rows += [stored("a", 60)] * 3
    await world.comes(lambda: world.sample() == 30)
    whole, calls = Sight.pass_time, []

    def fails_once(self: Sight, now: float) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise ValueError("odd")
        whole(self, now)

    monkeypatch.setattr(Sight, "pass_time", fails_once)
    world.rows.append(stored("a", 60))
    await world.comes(lambda: len(calls) > 1)
    await world.reads()
    assert world.sample() == 40


async def test_nobody_was_silent_while_we_could_not_know(world: World) -> None:
    world.rows.append(stored("a", 40 * MINUTE))
    await world.comes(lambda: world.sample() == 10)

    def quiet_since(deaf_at: float = 0.0) -> float:
        seen = world.keeper.seen(OF_AGENT, ("acme", "m"), deaf_at)
        assert isinstance(seen, Grouped)
        return min(seen.arrivals(OF_AGENT).values())

    assert quiet_since() == NOW, "what came before the first look is not known"
    world.now += timedelta(seconds=STALE_S / 2)
    world.behind = True
    await world.reads()
    assert quiet_since() == world.now.timestamp()
    assert quiet_since(NOW + 99) == NOW + 99, "nor while Kafka is away"
    world.now += timedelta(seconds=STALE_S)
    await world.reads()
    assert world.sample() is None, "what is stored is not all that came"
    world.behind = False
    await world.comes(lambda: world.sample() == 10)
    back_at = world.now.timestamp()
    world.now += timedelta(seconds=STALE_S / 2)
    await world.reads()
    assert quiet_since() == back_at


def test_ingest_is_behind_when_it_lacks_what_we_counted_seconds_ago() -> None:
    time, ours = [100.0], {0: 50, 1: 7}
    behind = Behind(lambda: ours, lambda: time[0])
    for stored_now, is_behind in (
        ({0: 0}, False),  # it has not been asked before
        ({0: 49, 1: 7}, True),
        ({0: 50, 1: 7}, False),
        ({0: 50}, True),
    ):
        time[0] += PATIENCE_S
        assert behind(stored_now) is is_behind
    ours[0] = 90
    time[0] += PATIENCE_S / 2
    assert not behind({0: 50, 1: 7}), "what has just come is being stored"
