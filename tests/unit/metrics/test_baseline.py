"""A rule with a baseline through the keeper: it compares, fires, ends, and judges nothing else."""

from typing import Any
from uuid import UUID

from services.metrics.domain.alerting import KeptRule, RuleBook, sums_for
from services.metrics.domain.windows import Place
from services.metrics.service.alerting import AlertKeeper
from shared.alerts.looking import past_hour
from shared.alerts.rule import AlertRule
from shared.keys import HOUR_CELLS
from shared.measures.cells import HOUR, Series
from tests.unit.metrics.test_alert_keeper import NOON, RULE, World, fill, look, made

WEEK_HOURS = 7 * 24
WEEK_AGO = past_hour(NOON.timestamp())[0]
SERIES = Series("m", "production", "chat", "")


def worse(**fields: Any) -> KeptRule:
    past = {"kind": "same_hour_last_week", "delta": 0.05}
    rule = {"name": "worse than last week", "baseline": past}
    return KeptRule(UUID(int=9), AlertRule.model_validate(rule | fields))


def fill_past(world: World, *, bad: int, n: int = 100, later: int = 0) -> None:
    """What the hour of last week holds, or one later."""
    place = Place("p", HOUR_CELLS, "acme", WEEK_AGO + later * HOUR)
    world.filled.put(place, {SERIES: {"n": n, "ok": n - bad}})


def comparing(**fields: Any) -> tuple[World, AlertKeeper]:
    world, keeper = made()
    world.book = RuleBook({"acme": [worse(**fields)]})
    return world, keeper


async def test_it_fires_when_worse_than_last_week_and_ends_when_not() -> None:
    for metric in ("error_rate", "success_rate"):
        world, keeper = comparing(metric=metric)
        fill_past(world, bad=2)
        fill(world, bad=40)
        await look(world, keeper, times=3)
        assert world.states() == ["pending", "firing"], metric
        told = world.events[-1]
        assert (told.severity, told.sample, told.window) == ("warning", 100, "1h")
        fill(world, bad=3)
        await look(world, keeper, times=3)
        assert world.states() == ["pending", "firing", "resolved"], metric
        assert "not worse by more than 0.025" in world.events[-1].reason


async def test_what_was_as_bad_last_week_is_no_worse() -> None:
    world, keeper = comparing()
    fill_past(world, bad=40)
    fill(world, bad=40)
    await look(world, keeper, times=3)
    assert world.states() == []
    fill_past(world, bad=2)
    await look(world, keeper, times=3)
    assert world.states() == ["pending", "firing"], "that hour was counted anew"


async def test_when_the_hour_turns_it_is_compared_with_the_next() -> None:
    world, keeper = comparing()
    fill_past(world, bad=2)
    fill_past(world, bad=40, later=1)
    fill(world, bad=40)
    await look(world, keeper, times=3)
    assert world.states() == ["pending", "firing"]
    # The window of 1h reaches back to the beginning of a minute: its cell is still in there.
    world.filled.advance(NOON.timestamp() + HOUR)
    await look(world, keeper, times=3)
    assert world.states() == ["pending", "firing", "resolved"]


async def test_a_group_of_last_week_alone_is_no_alert_and_a_silent_one_goes_on() -> None:
    for metric in ("error_rate", "throughput_per_minute"):
        world, keeper = comparing(metric=metric)
        fill_past(world, bad=2)
        await look(world, keeper, times=3)
        assert world.states() == [], metric
    world, keeper = comparing()
    for later in (0, 2, WEEK_HOURS):
        fill_past(world, bad=2, later=later)
    fill(world, bad=40)
    await look(world, keeper, times=3)
    world.filled.advance(NOON.timestamp() + 2 * HOUR)
    await look(world, keeper, times=3)
    assert world.states() == ["pending", "firing"], "nothing came: neither bad nor good"


async def test_without_last_week_nothing_can_be_worse() -> None:
    world, keeper = comparing()
    fill(world, bad=40)
    await look(world, keeper, times=3)
    assert world.states() == []


def test_last_week_is_looked_up_for_those_models_only_that_are_compared() -> None:
    world = World()
    fill_past(world, bad=2)
    fill_past(world, bad=3, later=1)  # of which the window of 7 days begins
    asked: list[tuple[str, str]] = []
    whole = world.filled.hour_last_week
    world.filled.hour_last_week = lambda model: asked.append(model) or whole(model)  # type: ignore
    model = "acme", "m"
    versions = {"kind": "previous_version", "delta": 0.05}
    others = worse(filter={"model_id": "other"}), worse(baseline=versions)
    for rules in ([], [RULE], [RULE, *others]):
        assert sums_for(rules, model, world.filled) is world.filled.sums(model)
    assert asked == []
    for rules in ([worse()], [RULE, worse(filter={"model_id": "m"})]):
        sums = sums_for(rules, model, world.filled)
        assert sums["1h@7d"] == {SERIES: {"n": 100, "ok": 98}}
        assert sums["7d"] is world.filled.sums(model)["7d"]
    assert asked == [model, model]
