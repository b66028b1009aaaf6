"""The keeper of statuses beside stores that forget, owners that change, and windows half full."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.metrics.domain import judging
from services.metrics.domain.status import Part, StatusChange
from services.metrics.domain.windows import Place, Windows
from services.metrics.service.statuses import StatusKeeper
from shared.delivery.plan import Fence, Partition
from shared.errors import FencedError
from shared.health.limits import OF_TENANT, LimitsBook
from shared.health.settling import CALM_S, Held
from shared.keys import MINUTE_CELLS, share_of
from shared.measures import sketch
from shared.measures.cells import Series
from shared.views import Health

NOON = datetime(2027, 1, 15, 12, tzinfo=UTC)
SHARE = Partition("ai.operations.v1", 0)
MODEL = ("acme", "m")
WHOLE, CHAT = Part(*MODEL), Part(*MODEL, "production", "chat")
FAST = f"d:{sketch.key_of(100)}"


class World:
    """Redis, Postgres, the windows and the clock, all in hand."""

    def __init__(self) -> None:
        self.now = NOON
        self.epoch: int | None = 1
        self.kept: dict[Part, Held] | None = None
        self.told: list[StatusChange] = []
        self.writes = 0
        self.in_postgres: dict[Part, Held] = {}
        self.book = LimitsBook()
        self.is_whole = True
        self.filled = Windows(NOON.timestamp())
        self.trouble: Exception | None = None

    async def load(self, _: Partition) -> dict[Part, Held] | None:
        return None if self.kept is None else dict(self.kept)

    async def change(
        self,
        _: Partition,
        epoch: int,
        statuses: Mapping[Part, Held | None],
        changes: Sequence[StatusChange],
    ) -> None:
        if self.trouble:
            raise self.trouble
        if epoch != self.epoch:
            raise FencedError("somebody else's")
        self.writes += 1
        self.kept = {**(self.kept or {}), **statuses}  # type: ignore[dict-item]
        self.kept = {part: held for part, held in self.kept.items() if held}
        self.told += changes

    async def limits(self) -> LimitsBook:
        return self.book

    async def last(self, parts: Sequence[Part]) -> dict[Part, Held]:
        return {part: self.in_postgres[part] for part in parts if part in self.in_postgres}

    def windows(self, _: Partition) -> Windows | None:
        return self.filled if self.is_whole else None

    def fence_of(self, _: Partition) -> Fence | None:
        return None if self.epoch is None else Fence(self.epoch, 0)

    def fill(self, *, bad: int, n: int = 1_000, model: str = "m") -> None:
        """What the running minute holds."""
        start = int(NOON.timestamp()) // 60 * 60
        cell = {"n": n, "ok": n - bad, FAST: n}
        place = Place(model, MINUTE_CELLS, "acme", start)
        self.filled.put(place, {Series(model, "production", "chat", ""): cell})

    def statuses(self, part: Part = WHOLE) -> list[str]:
        named = (part.model_id, part.environment, part.operation_type)
        return [
            one.status.value
            for one in self.told
            if (one.model_id, one.environment, one.operation_type) == named
        ]


def made(shares: int = 1) -> tuple[World, StatusKeeper]:
    world = World()
    keeper = StatusKeeper(world, world, world.windows, world.fence_of, shares, lambda: world.now)
    return world, keeper


async def look(world: World, keeper: StatusKeeper, times: int = 1) -> None:
    for _ in range(times):
        await keeper.refresh()
        await keeper.look([SHARE])
        world.now += timedelta(seconds=4)


def seen(world: World, keeper: StatusKeeper) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(keeper.of(MODEL, world.filled.sums(MODEL)).view)
    return found


async def test_a_model_s_parts_are_told_and_shown() -> None:
    world, keeper = made()
    world.fill(bad=500)
    world.filled.dirty.clear()
    await look(world, keeper, 2)
    assert world.statuses(WHOLE) == world.statuses(CHAT) == ["critical"]
    assert world.told[0].before is None
    view = seen(world, keeper)
    assert (view["status"], view["since"]) == ("critical", "2027-01-15T12:00:04Z")
    assert [(one["environment"], one["status"]) for one in view["parts"]] == [
        ("production", "critical")
    ]
    assert view["limits"]["failures"] == {"warning": 0.05, "critical": 0.2}
    assert world.filled.dirty == {MODEL}


async def test_before_the_first_look_it_is_judged_as_it_stands() -> None:
    world, keeper = made()
    world.fill(bad=30)
    view = seen(world, keeper)
    assert (view["status"], view["since"], world.told) == ("good", None, [])
    world.fill(bad=500)
    view = seen(world, keeper)
    assert (view["status"], view["since"]) == ("critical", None)
    await look(world, keeper)
    assert (world.told, seen(world, keeper)["since"]) == ([], None)


async def test_what_did_not_move_is_neither_judged_nor_written_again() -> None:
    world, keeper = made()
    world.fill(bad=0)
    await look(world, keeper)
    writes = world.writes
    world.filled.dirty.clear()
    await look(world, keeper, 20)
    assert (world.writes, world.filled.dirty) == (writes, set())


async def test_it_worsens_at_the_second_look_and_recovers_after_a_minute() -> None:
    world, keeper = made()
    world.fill(bad=0)
    await look(world, keeper)
    world.fill(bad=500)
    await look(world, keeper)
    assert world.statuses() == ["excellent"]
    # Nothing moves between the two looks: an opinion alone is a reason to look again.
    await look(world, keeper)
    assert world.statuses() == ["excellent", "critical"]
    assert world.told[-1].before is Health.EXCELLENT
    world.fill(bad=0)
    await look(world, keeper, int(CALM_S / 4))
    held = seen(world, keeper)
    assert held["status"] == "critical"
    assert "surely above 20%" in held["reasons"][0]
    await look(world, keeper, 2)
    assert world.statuses() == world.statuses(CHAT) == ["excellent", "critical", "excellent"]


async def test_who_is_not_the_owner_keeps_and_shows_nothing() -> None:
    world, keeper = made()
    world.fill(bad=0)
    await look(world, keeper)

    world.epoch = 2
    keeper._fence_of = lambda _: Fence(1, 0)
    world.fill(bad=500)
    await look(world, keeper, 3)
    assert world.statuses() == ["excellent"]
    assert keeper._shown == {}


async def test_a_new_owner_begins_with_its_own_looks() -> None:
    world, keeper = made()
    world.fill(bad=0)
    await look(world, keeper)
    world.fill(bad=500)
    await look(world, keeper)
    world.epoch = 2
    await look(world, keeper)
    assert world.statuses() == ["excellent"]
    await look(world, keeper)
    assert world.statuses() == ["excellent", "critical"]


async def test_statuses_that_redis_lost_come_back_from_the_history() -> None:
    world, keeper = made()
    told = Held(Health.CRITICAL, NOON.timestamp() - 500, ("It was bad.",), {})
    world.in_postgres = {WHOLE: told, CHAT: told}
    world.fill(bad=500)
    await look(world, keeper)
    assert world.told == []
    assert world.kept is not None
    assert world.kept[WHOLE].since == told.since


async def test_new_limits_are_for_all_models_at_once() -> None:
    world, keeper = made()
    world.fill(bad=30)
    await look(world, keeper)
    assert world.statuses() == ["good"]
    strict = json.dumps({"failures": {"warning": 0.001, "critical": 0.01}})
    world.book = LimitsBook([("acme", OF_TENANT, strict)])
    await look(world, keeper)
    assert world.statuses() == ["good", "critical"]
    world.book = LimitsBook()
    await look(world, keeper)
    assert world.statuses() == ["good", "critical", "good"]


async def test_a_change_says_when_it_came_of_limits_and_not_of_the_model() -> None:
    world, keeper = made()
    world.fill(bad=30)
    await look(world, keeper)
    strict = json.dumps({"failures": {"warning": 0.001, "critical": 0.01}})
    world.book = LimitsBook([("acme", OF_TENANT, strict)])
    await look(world, keeper)
    for first, second in zip(world.told[:2], world.told[2:], strict=True):
        assert not any(reason.startswith("Limits") for reason in first.reasons)
        assert second.reasons[0] == (
            "Limits were changed: failures from warning 0.05, critical 0.2 "
            "to warning 0.001, critical 0.01."
        )
        assert second.reasons[1].startswith("Over ")
    # What it is like now is not explained by what once happened.
    assert not any(reason.startswith("Limits") for reason in seen(world, keeper)["reasons"])


async def test_the_same_limits_read_again_change_nothing() -> None:
    world, keeper = made()
    world.fill(bad=30)
    await look(world, keeper)
    shown = seen(world, keeper)
    for _ in range(3):
        world.book = LimitsBook([("globex", OF_TENANT, "{}")])
        await look(world, keeper)
    assert (seen(world, keeper), len(world.told)) == (shown, 2)


async def test_over_a_pause_opinions_begin_anew() -> None:
    world, keeper = made()
    world.fill(bad=0)
    await look(world, keeper)
    world.fill(bad=500)
    await look(world, keeper)
    world.now += timedelta(seconds=30)
    await look(world, keeper)
    assert world.statuses() == ["excellent"]
    await look(world, keeper)
    assert world.statuses() == ["excellent", "critical"]


async def test_looks_that_are_always_far_apart_are_looks_all_the_same() -> None:
    world, keeper = made()
    for bad in (0, 500, 500, 500):
        world.fill(bad=bad)
        await look(world, keeper)
        world.now += timedelta(seconds=60)
    assert world.statuses() == ["excellent", "critical"]


async def test_one_odd_model_does_not_hold_up_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    world, keeper = made()
    original = judging.parts_of

    def odd(model: Any, sums: Any) -> Any:
        if model[1] == "a":
            raise ArithmeticError("odd")
        return original(model, sums)

    monkeypatch.setattr(judging, "parts_of", odd)
    world.fill(bad=0, model="a")
    world.fill(bad=0)
    await look(world, keeper)
    assert world.statuses() == ["excellent"]


async def test_windows_half_full_say_nothing() -> None:
    world, keeper = made()
    world.fill(bad=0)
    await look(world, keeper)
    world.filled.put(Place("m", MINUTE_CELLS, "acme", int(NOON.timestamp()) // 60 * 60), {})
    world.is_whole = False
    await look(world, keeper)
    assert world.kept is not None
    assert WHOLE in world.kept


async def test_of_a_model_that_is_gone_nothing_is_kept_or_told() -> None:
    world, keeper = made()
    world.fill(bad=0)
    await look(world, keeper)
    world.filled.put(Place("m", MINUTE_CELLS, "acme", int(NOON.timestamp()) // 60 * 60), {})
    world.filled.retire(MODEL)
    await look(world, keeper)
    assert (world.kept, world.statuses()) == ({}, ["excellent"])
    assert (keeper._shown, keeper._looks[SHARE].judged) == ({}, {})


@pytest.mark.parametrize("trouble", [OSError("away"), FencedError("not ours")])
async def test_what_could_not_be_kept_is_looked_at_again(trouble: Exception) -> None:
    world, keeper = made()
    world.kept = {}
    world.fill(bad=0)
    world.trouble = trouble
    await look(world, keeper)
    world.trouble = None
    await look(world, keeper)
    assert world.statuses() == ["excellent"]


async def test_an_opinion_survives_that_its_status_could_not_be_kept() -> None:
    world, keeper = made()
    world.fill(bad=0)
    await look(world, keeper)
    world.fill(bad=500)
    await look(world, keeper)
    world.trouble = OSError("away")
    await look(world, keeper)
    world.trouble = None
    await look(world, keeper)
    assert world.statuses() == ["excellent", "critical"]


async def test_limits_that_changed_hold_although_keeping_failed() -> None:
    world, keeper = made()
    world.fill(bad=100)
    await look(world, keeper, 2)
    assert world.statuses() == ["degraded"]
    lax = json.dumps({"failures": {"warning": 0.5, "critical": 0.6}})
    world.book = LimitsBook([("acme", OF_TENANT, lax)])
    world.trouble = OSError("away")
    await look(world, keeper)
    world.trouble = None
    await look(world, keeper)
    assert world.statuses() == ["degraded", "excellent"]


async def test_windows_that_stay_half_full_are_not_shown_as_they_were() -> None:
    world, keeper = made()
    world.fill(bad=0)
    await look(world, keeper)
    world.is_whole = False
    await look(world, keeper, 20)
    assert keeper._shown == {}


async def test_what_cannot_be_looked_at_for_long_is_not_shown_as_it_was() -> None:
    world, keeper = made()
    world.fill(bad=0)
    await look(world, keeper)
    world.fill(bad=500)
    world.trouble = OSError("away")
    await look(world, keeper, 20)
    view = seen(world, keeper)
    assert (view["status"], view["since"]) == ("critical", None)


async def test_models_of_other_shares_are_others_business() -> None:
    world, keeper = made(shares=6)
    names = [f"model-{number}" for number in range(30)]
    for name in names:
        world.fill(bad=0, model=name)
    await look(world, keeper)
    ours = {name for name in names if share_of("acme", name, 6) == 0}
    assert {one.model_id for one in world.told} == ours
    assert 0 < len(ours) < len(names)
    await keeper.look([])
    assert keeper._shown == {}
