"""What rules ask of single operations: counted once, forgotten in time, silent while unknown."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.metrics.domain.alerting import KeptRule, RuleBook
from services.metrics.domain.rows import (
    LONG_S,
    SHORT_S,
    Agent,
    Position,
    Read,
    TenantRows,
    Wanted,
    wanted_by,
)
from services.metrics.service import rows as service
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


def book(*rules: AlertRule) -> RuleBook:
    return RuleBook({"acme": [KeptRule(UUID(int=n), one) for n, one in enumerate(rules, 1)]})


def stored(name: str, ago_s: float, n: int = 10, bad: int = 0) -> Stored:
    start = int(NOW - ago_s) // MINUTE * MINUTE
    return Stored(name, SERIES, start, {"n": n, "ok": n - bad}, NOW - ago_s)


def test_what_rules_ask_for_is_what_is_read() -> None:
    assert wanted_by(book(rule())) == {}
    wanted = wanted_by(book(rule(), OF_AGENT, OF_AGENT_DAY, OF_VERSION))["acme"]
    assert wanted == Wanted(frozenset({Agent("a", SHORT_S), Agent("a", LONG_S)}), versions=True)
    assert wanted.names() == ["a"]
    known = Wanted(frozenset({Agent("a", SHORT_S)}))
    assert wanted.without(known) == Wanted(frozenset({Agent("a", LONG_S)}), versions=True)


def sample(rows: TenantRows, asked: AlertRule) -> int | None:
    seen = rows.seen(asked, "m", 0.0)
    if seen is None:
        return None
    return sum(cell.get("n", 0) for cell in seen.cells(asked.window, asked).values())


def test_an_agent_is_summed_over_the_rule_s_window_and_time_passes() -> None:
    short, long = Agent("a", SHORT_S), Agent("a", LONG_S)
    rows, wanted = TenantRows("acme"), Wanted(frozenset({short, long}))
    assert sample(rows, OF_AGENT) is None
    past = [stored("a", 5 * HOUR, 7), stored("a", HOUR / 2), stored("a", 60)]
    rows.add(Read({short: past, long: past}), NOW)
    rows.pass_time(wanted, NOW)
    assert (sample(rows, OF_AGENT), sample(rows, OF_AGENT_DAY)) == (20, 27)
    rows.add(Read({short: [stored("a", 60, 3)], long: [stored("a", 60, 3)]}), NOW)
    rows.pass_time(wanted, NOW)
    assert (sample(rows, OF_AGENT), sample(rows, OF_AGENT_DAY)) == (23, 30)
    rows.pass_time(wanted, NOW + HOUR / 2 + 2 * MINUTE)
    assert (sample(rows, OF_AGENT), sample(rows, OF_AGENT_DAY)) == (13, 30)
    rows.pass_time(wanted, NOW + 26 * HOUR)
    assert (sample(rows, OF_AGENT), sample(rows, OF_AGENT_DAY)) == (0, 0)


def test_what_nobody_asks_for_any_more_is_forgotten_and_read_again_when_somebody_does() -> None:
    short = Agent("a", SHORT_S)
    rows, wanted = TenantRows("acme"), Wanted(frozenset({short}), versions=True)
    rows.add(Read({short: [stored("a", 60)]}, [stored("v1", 60)]), NOW)
    rows.pass_time(wanted, NOW)
    rows.keep(Wanted())
    assert rows.known == Wanted()
    assert rows.seen(OF_AGENT, "m", 0.0) is None
    assert rows.seen(OF_VERSION, "m", 0.0) is None
    rows.add(Read({short: [stored("a", 60)]}), NOW)
    rows.pass_time(wanted, NOW)
    assert sample(rows, OF_AGENT) == 10


def test_portions_hold_all_there_is_once() -> None:
    short = Agent("a", SHORT_S)
    read = Read({short: [stored("a", n) for n in range(5)]}, [stored("v", n) for n in range(3)])
    portions = list(read.portions(2))
    assert [one for part in portions for one in part.agents.get(short, ())] == read.agents[short]
    assert [one for part in portions for one in part.versions] == read.versions
    assert max(len(part.versions) + len(part.agents.get(short, ())) for part in portions) == 2


class World:
    """Postgres, the clock, and how far ingest is."""

    def __init__(self) -> None:
        self.now = NOON
        self.book: RuleBook | None = book(OF_AGENT)
        self.rows: list[Stored] = []
        self.asked: list[tuple[Wanted, Wanted, Position | None]] = []
        self.fails = self.anew = self.behind = False
        self.keeper = RowKeeper(self, lambda _: self.behind, lambda: self.now)

    async def read(
        self, tenant_id: str, wanted: Wanted, known: Wanted, since: Position | None
    ) -> tuple[Read, Position] | None:
        assert tenant_id == "acme"
        self.asked.append((wanted, known, since))
        if self.fails:
            raise OSError("away")
        if self.anew:
            self.anew = False
            return None
        start = since.ends[0] if since and not wanted.without(known).agents else 0
        new: Sequence[Stored] = self.rows[start:]
        agents: Mapping[Agent, Sequence[Stored]] = dict.fromkeys(wanted.agents, new)
        return Read(agents), Position({0: len(self.rows)}, self.now)

    def sample(self, asked: AlertRule = OF_AGENT) -> int | None:
        seen = self.keeper.seen(asked, ("acme", "m"))
        if seen is None:
            return None
        return sum(cell["n"] for cell in seen.cells(asked.window, asked).values())

    async def reads(self) -> None:
        """Wait for a reading that began after now."""
        before = len(self.asked)
        await eventually(self._began(before + 2), why="it reads on", deadline_s=5)

    def _began(self, count: int) -> Any:
        async def began() -> bool:
            return len(self.asked) >= count

        return began


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
    await world.reads()
    assert world.sample() == 20
    world.rows.append(stored("a", 30, 5))
    await world.reads()
    assert world.sample() == 25
    assert world.keeper.seen(OF_AGENT, ("globex", "m")) is None
    assert world.sample(rule(filter={"agent_id": "b"})) is None


async def test_while_postgres_is_away_what_is_known_grows_old(world: World) -> None:
    world.rows.append(stored("a", 60))
    await world.reads()
    world.fails = True
    world.now += timedelta(seconds=STALE_S / 2)
    await world.reads()
    assert world.sample() == 10
    world.now += timedelta(seconds=STALE_S)
    assert world.sample() is None
    world.fails = False
    await world.reads()
    assert world.sample() == 10


async def test_when_the_log_begins_anew_all_is_read_again(world: World) -> None:
    world.rows.append(stored("a", 60))
    await world.reads()
    world.anew = True
    await world.reads()
    await world.reads()
    assert world.sample() == 10


async def test_what_could_not_be_counted_is_not_half_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.rows += [stored("a", 60)] * 3
    monkeypatch.setattr(service, "PORTION", 1)
    whole, calls = TenantRows.add, []

    def fails_once(self: TenantRows, read: Read, now: float) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise ValueError("odd")
        whole(self, read, now)

    monkeypatch.setattr(TenantRows, "add", fails_once)
    await world.reads()
    await world.reads()
    assert world.sample() == 30


async def test_nobody_was_silent_while_we_could_not_know(world: World) -> None:
    world.rows.append(stored("a", 40 * MINUTE))
    await world.reads()

    def quiet_since() -> float:
        seen = world.keeper.seen(OF_AGENT, ("acme", "m"))
        assert isinstance(seen, Grouped)
        return min(seen.arrivals(OF_AGENT).values())

    assert quiet_since() == NOW, "what came before the first look is not known"
    world.now += timedelta(minutes=10)
    world.behind = True
    await world.reads()
    assert quiet_since() == world.now.timestamp()
    world.behind = False
    world.now += timedelta(seconds=STALE_S / 2)
    await world.reads()
    assert quiet_since() == world.now.timestamp() - STALE_S / 2
