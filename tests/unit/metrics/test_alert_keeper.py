"""The keeper of alerts beside stores that forget, rules it cannot read, and windows half full."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.metrics.domain.alerting import KeptRule, RuleBook
from services.metrics.domain.telling import Home, Kept
from services.metrics.domain.windows import Place, Windows
from services.metrics.queries.rules import Action
from services.metrics.service.alerting import AlertKeeper
from shared.alerts.rule import AlertRule
from shared.delivery.plan import Fence, Partition
from shared.events.alert import AlertEvent
from shared.keys import MINUTE_CELLS
from shared.measures.cells import Series

NOON = datetime(2027, 1, 15, 12, tzinfo=UTC)
SHARE = Partition("ai.operations.v1", 0)
RULE = KeptRule(
    UUID(int=1),
    AlertRule.model_validate(
        {"name": "errors", "metric": "error_rate", "operator": ">", "warning": 0.2}
    ),
)


class World:
    """Redis, Postgres, the windows and the clock, all in hand."""

    def __init__(self) -> None:
        self.now = NOON
        self.kept: dict[Home, Kept] | None = None
        self.events: list[AlertEvent] = []
        self.over: set[UUID] = set()
        self.book = RuleBook({"acme": [RULE]})
        self.done: list[Action] = []
        self.in_postgres: list[tuple[Home, Kept]] = []
        self.is_whole = self.is_heard = True
        self.filled = Windows(NOON.timestamp())

    async def load(self, _: Partition) -> dict[Home, Kept] | None:
        return None if self.kept is None else dict(self.kept)

    async def change(
        self,
        _: Partition,
        __: int,
        alerts: Mapping[Home, Kept | None],
        events: Sequence[bytes],
        ended: Sequence[UUID],
    ) -> None:
        self.over |= set(ended)
        self.kept = self.kept or {}
        for home, one in alerts.items():
            if one is None:
                self.kept.pop(home, None)
            else:
                self.kept[home] = one
        self.events += [AlertEvent.model_validate_json(event) for event in events]

    async def ended(self, _: Partition) -> set[UUID]:
        return self.over

    async def rules(self) -> RuleBook:
        return self.book

    async def actions(self) -> Sequence[Action]:
        return self.done

    async def live(self, _: RuleBook) -> list[tuple[Home, Kept]]:
        return self.in_postgres

    def windows(self, _: Partition) -> Windows | None:
        return self.filled if self.is_whole else None

    def hears(self) -> bool:
        return self.is_heard

    def states(self) -> list[str]:
        return [event.state for event in self.events]


def fill(world: World, *, bad: int, n: int = 100) -> None:
    """What the running minute holds."""
    start = int(NOON.timestamp()) // 60 * 60
    cell = {"n": n, "ok": n - bad}
    series = Series("m", "production", "chat", "")
    world.filled.put(Place("p", MINUTE_CELLS, "acme", start), {series: cell})


async def look(world: World, keeper: AlertKeeper, times: int = 1) -> None:
    for _ in range(times):
        await keeper.refresh()
        await keeper.look([SHARE])
        world.now += timedelta(seconds=4)


def made() -> tuple[World, AlertKeeper]:
    world = World()
    return world, AlertKeeper(world, world, world, lambda _: Fence(1, 0), 1, lambda: world.now)


def action(world: World, what: str, number: int = 7) -> Action:
    alert_id = world.events[-1].alert_id
    until = world.now + timedelta(hours=1)
    return Action("acme", UUID(int=number), alert_id, what, until, "note", "ann", world.now)


async def fired() -> tuple[World, AlertKeeper]:
    world, keeper = made()
    fill(world, bad=80)
    await look(world, keeper, times=3)
    assert world.states() == ["pending", "firing"]
    return world, keeper


async def test_windows_that_are_not_whole_are_not_looked_at() -> None:
    world, keeper = await fired()
    world.is_whole = False
    fill(world, bad=0)
    await look(world, keeper, times=3)
    assert world.states() == ["pending", "firing"]
    world.is_whole = True
    await look(world, keeper, times=3)
    assert world.states() == ["pending", "firing", "resolved"]


async def test_what_somebody_did_is_done_once() -> None:
    world, keeper = await fired()
    world.done = [action(world, "acknowledge")]
    await look(world, keeper, times=4)
    assert world.states() == ["pending", "firing", "acknowledged"]
    world.done.append(action(world, "resolve", number=8))
    fill(world, bad=0)
    await look(world, keeper, times=4)
    assert world.states() == ["pending", "firing", "acknowledged", "resolved"]


async def test_nobody_ends_another_tenant_s_alert() -> None:
    world, keeper = await fired()
    world.done = [action(world, "resolve")._replace(tenant_id="globex")]
    await look(world, keeper, times=2)
    assert world.states() == ["pending", "firing"]


async def test_a_rule_that_is_gone_ends_its_alerts_and_one_that_is_unreadable_does_not() -> None:
    world, keeper = await fired()
    world.book = RuleBook({}, frozenset({("acme", RULE.rule_id)}))
    await look(world, keeper, times=2)
    assert world.states() == ["pending", "firing"]
    world.book = RuleBook({})
    await look(world, keeper, times=2)
    assert world.states() == ["pending", "firing", "resolved"]


async def test_lost_alerts_come_back_with_what_people_had_done() -> None:
    world, keeper = await fired()
    world.done = [action(world, "acknowledge")]
    await look(world, keeper)
    ((home, one),) = (world.kept or {}).items()
    restored = one.alert.__class__(
        one.alert.alert_id,
        one.alert.state,
        one.alert.severity,
        started_at=one.alert.started_at,
        told_at=world.now,
        restored_at=world.now,
        steps=one.alert.steps,
        acknowledged_until=one.alert.acknowledged_until,
        seen=one.alert.seen,
    )
    world.in_postgres, world.kept = [(home, one._replace(alert=restored))], None
    await look(world, keeper, times=3)
    assert world.states() == ["pending", "firing", "acknowledged"]


async def test_what_redis_forgot_and_postgres_knows_is_ended_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.metrics.service.alerting.FORGOTTEN_EVERY_S", 0)
    world, keeper = await fired()
    world.in_postgres, world.kept = list((world.kept or {}).items()), {}
    await look(world, keeper, times=2)
    assert world.states() == ["pending", "firing"] * 2, "told anew, as another alert"
    world.now += timedelta(minutes=6)
    await look(world, keeper)
    ended = [event for event in world.events if event.state == "resolved"]
    assert [event.alert_id for event in ended] == [world.events[0].alert_id]


async def test_what_has_ended_and_ingest_does_not_know_yet_is_not_ended_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.metrics.service.alerting.FORGOTTEN_EVERY_S", 0)
    world, keeper = await fired()
    world.in_postgres = list((world.kept or {}).items())
    world.now += timedelta(hours=1)
    fill(world, bad=0)
    await look(world, keeper, times=5)
    assert world.states() == ["pending", "firing", "resolved"]


async def test_windows_that_are_emptied_during_a_look_end_nothing() -> None:
    world, keeper = await fired()
    whole = world.load

    async def emptied(share: Partition) -> dict[Home, Kept] | None:
        found = await whole(share)
        world.filled.forget("p")
        world.filled.retire(("acme", "m"))
        world.is_whole = False
        return found

    world.load = emptied  # type: ignore[method-assign]
    await look(world, keeper, times=2)
    assert world.states() == ["pending", "firing"]


async def test_while_we_hear_nothing_nobody_is_silent() -> None:
    world, keeper = made()
    world.book = RuleBook(
        {"acme": [RULE._replace(rule=RULE.rule.model_copy(update={"no_data": "alert"}))]}
    )
    fill(world, bad=0)
    await look(world, keeper)
    world.is_heard = False
    world.now += timedelta(hours=3)
    await look(world, keeper, times=3)
    world.is_heard = True
    await look(world, keeper, times=3)
    assert world.states() == []
    world.now += timedelta(hours=2)
    await look(world, keeper, times=3)
    assert world.states() == ["pending", "firing"]


async def test_one_odd_rule_does_not_silence_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    world, keeper = made()
    odd = KeptRule(UUID(int=2), RULE.rule.model_copy(update={"name": "odd"}))
    world.book = RuleBook({"acme": [odd, RULE]})
    whole = AlertKeeper._judge_rule

    def judged(self: Any, turn: Any, model: Any, rule: KeptRule, *rest: Any) -> None:
        if rule is odd:
            raise OverflowError("odd")
        whole(self, turn, model, rule, *rest)

    monkeypatch.setattr(AlertKeeper, "_judge_rule", judged)
    fill(world, bad=80)
    await look(world, keeper, times=3)
    assert world.states() == ["pending", "firing"]
