"""Which versions are compared: the newest one in use, and what was there before it."""

from typing import Any

import pytest

from shared.alerts.finding import CALM, PREVIOUS
from shared.alerts.grouping import Group
from shared.alerts.looking import look_at, windows_of
from shared.alerts.rule import AlertRule
from shared.alerts.slots import VERSION_SLOT_S as SLOT_S
from shared.alerts.slots import Stored
from shared.alerts.versions import MOST_VERSIONS, Versions
from shared.measures.cells import HOUR, Series

NOON = 1_800_000_000 // SLOT_S * SLOT_S
GROUP = Group((("model_id", "m"), ("environment", "production")))


def rule(**fields: Any) -> AlertRule:
    past = {"kind": "previous_version", "delta": 0.05}
    return AlertRule.model_validate({"name": "worse", "baseline": past} | fields)


class World:
    """Versions of one model, stored slot by slot."""

    def __init__(self) -> None:
        self.versions = Versions()

    def store(
        self,
        name: str,
        at: float,
        *,
        bad: int = 0,
        n: int = 30,
        environment: str = "production",
        kind: str = "chat",
    ) -> None:
        series = Series("m", environment, kind, "")
        slot = int(at) // SLOT_S * SLOT_S
        self.versions.add(Stored(name, series, slot, {"n": n, "ok": n - bad}, at))

    def run(self, name: str, start: float, end: float, **content: Any) -> None:
        for at in range(int(start), int(end), SLOT_S):
            self.store(name, at, **content)

    def pairs(self, now: float = NOON, **fields: Any) -> dict[Group, tuple[str, int, int]]:
        """Of each group: what is compared, and the operations of both."""
        self.versions.advance(now)
        asked = rule(**fields)
        seen = self.versions.compare(asked, now)
        new, before = (seen.cells(window, asked) for window in windows_of(asked))
        return {
            one: (seen.about(one), new[one].get("n", 0), before[one].get("n", 0)) for one in new
        }


def test_the_newest_in_use_is_compared_with_what_the_one_before_was_last_like() -> None:
    world = World()
    world.run("v1", NOON - 10 * HOUR, NOON - 4 * HOUR)
    world.run("v2", NOON - 4 * HOUR, NOON - 2 * HOUR)
    world.run("v3", NOON - 2 * HOUR, NOON)
    # Of the old one its last seven slots, of the new one the last hour.
    assert world.pairs() == {GROUP: ("Version v3 after v2: ", 180, 210)}


def test_a_canary_is_compared_while_both_run() -> None:
    world = World()
    world.run("v1", NOON - 30 * HOUR, NOON)
    world.run("v2", NOON - HOUR, NOON)
    assert world.pairs() == {GROUP: ("Version v2 after v1: ", 180, 210)}


def test_after_a_rollback_there_is_nothing_to_compare() -> None:
    world = World()
    world.run("v1", NOON - 10 * HOUR, NOON - 4 * HOUR)
    world.run("v2", NOON - 4 * HOUR, NOON - 2 * HOUR)
    world.run("v1", NOON - 2 * HOUR, NOON)
    assert world.pairs() == {}


def test_a_version_is_new_for_a_day_and_what_was_there_at_its_start_may_be_old() -> None:
    world = World()
    world.run("v1", NOON - 30 * HOUR, NOON)
    world.run("v2", NOON - 22 * HOUR, NOON)
    assert list(world.pairs()) == [GROUP]
    world.run("v2", NOON, NOON + 2 * HOUR)
    assert world.pairs(NOON + 2 * HOUR) == {}
    both = World()
    for name in ("v1", "v2"):
        both.run(name, NOON - 24 * HOUR + (SLOT_S if name == "v2" else 0), NOON)
    assert both.pairs() == {}


def test_a_name_that_was_seen_a_few_times_is_no_version() -> None:
    world = World()
    world.run("v1", NOON - 10 * HOUR, NOON)
    world.run("v2", NOON - 2 * HOUR, NOON)
    world.store("typo", NOON - SLOT_S, n=3)
    assert world.pairs()[GROUP][0] == "Version v2 after v1: "
    assert world.pairs(min_sample=2)[GROUP][0] == "Version typo after v1: "


def test_each_group_has_its_own_versions() -> None:
    world = World()
    world.run("v1", NOON - 10 * HOUR, NOON)
    world.run("v1", NOON - 10 * HOUR, NOON - 3 * HOUR, environment="staging")
    world.run("v2", NOON - 3 * HOUR, NOON, environment="staging")
    (staging,) = world.pairs()
    assert dict(staging.labels)["environment"] == "staging"
    assert world.pairs(filter={"environment": "production"}) == {}
    assert set(world.pairs(group_by=["model_id"])) == {Group((("model_id", "m"),))}


def test_late_operations_count_where_they_belong() -> None:
    world = World()
    world.run("v1", NOON - 10 * HOUR, NOON - HOUR)
    world.run("v2", NOON - HOUR, NOON)
    world.pairs()
    world.store("v2", NOON - SLOT_S, n=7)
    world.store("v1", NOON - 10 * HOUR, n=1_000)  # before all that is kept of it
    assert world.pairs()[GROUP][1:] == (187, 210)
    world.store("v2", NOON - 5 * HOUR, n=50)  # not of the last hour, but of the version
    assert world.pairs()[GROUP][1] == 187


def test_an_hour_later_only_what_is_of_that_hour_counts() -> None:
    world = World()
    world.run("v1", NOON - 10 * HOUR, NOON - HOUR)
    world.run("v2", NOON - HOUR, NOON)
    world.pairs()
    world.store("v2", NOON + HOUR // 2, n=40)
    now = NOON + HOUR // 2 + 60
    assert world.pairs(now)[GROUP][1] == 40 + 3 * 30
    world.pairs(NOON + HOUR)
    assert world.pairs(NOON + 2 * HOUR)[GROUP][1] == 0, "a quiet night: neither bad nor good"
    assert world.pairs(NOON + 26 * HOUR) == {}


def test_of_very_many_those_that_were_used_most_are_kept() -> None:
    world = World()
    world.run("v1", NOON - 2 * HOUR, NOON)
    for number in range(3 * MOST_VERSIONS):
        world.store(f"call-{number}", NOON - HOUR, n=1)
        if number % 50 == 0:
            world.store("v2", NOON - HOUR, n=20)
    world.run("v1", NOON - HOUR, NOON)
    for number in range(3 * MOST_VERSIONS):
        world.store(f"later-{number}", NOON - SLOT_S, n=1)
    world.run("v2", NOON - HOUR, NOON)
    assert world.pairs() == {GROUP: ("Version v2 after v1: ", 240, 390)}


def test_after_a_rollback_the_next_is_compared_with_what_was_rolled_back_to() -> None:
    world = World()
    world.run("v1", NOON - 10 * HOUR, NOON - 4 * HOUR)
    world.run("v2", NOON - 4 * HOUR, NOON - 3 * HOUR, bad=15)
    world.run("v1", NOON - 3 * HOUR, NOON - HOUR)
    world.run("v3", NOON - HOUR, NOON, bad=15)
    assert world.pairs()[GROUP][0] == "Version v3 after v1: "


def test_of_two_that_were_in_use_the_one_with_more_operations_was_before() -> None:
    world = World()
    world.run("main", NOON - 10 * HOUR, NOON, n=100)
    world.run("canary", NOON - 5 * HOUR, NOON, n=5)
    world.run("next", NOON - HOUR, NOON)
    assert world.pairs()[GROUP][0] == "Version next after main: "


def test_a_canary_of_few_operations_stays_a_version() -> None:
    world = World()
    world.run("v1", NOON - 10 * HOUR, NOON + 3 * HOUR)
    world.run("v2", NOON - 3 * HOUR, NOON + 3 * HOUR, n=4)
    for minute in range(180):
        assert list(world.pairs(NOON + 60 * minute)) == [GROUP]


def test_the_last_hour_of_a_version_is_that_of_all_its_series() -> None:
    world = World()
    for version, start in (("v1", NOON - 12 * HOUR), ("v2", NOON - HOUR)):
        world.run(version, start, start + (11 * HOUR if version == "v1" else HOUR))
    for hours in range(1, 12):
        world.store("v1", NOON - hours * HOUR - SLOT_S, n=1_000, kind="batch")
    world.store("v2", NOON - SLOT_S, n=1_000, kind="batch")
    assert world.pairs() == {GROUP: ("Version v2 after v1: ", 1_180, 2_210)}


@pytest.mark.parametrize(("bad", "severity"), [(6, "warning"), (1, None)])
def test_a_rule_finds_the_new_one_worse(bad: int, severity: str | None) -> None:
    world = World()
    world.run("v1", NOON - 3 * HOUR, NOON - HOUR, bad=1)
    world.run("v2", NOON - HOUR, NOON, bad=bad)
    world.versions.advance(NOON)
    asked = rule()
    seen = world.versions.compare(asked, NOON)
    cells = {window: seen.cells(window, asked)[GROUP] for window in windows_of(asked)}
    assert set(cells) == {"1h", PREVIOUS["1h"]}
    found = look_at(asked, cells)
    assert found.severity == severity
    assert "in the version before" in found.reason
    if not severity:
        assert look_at(asked, cells, whole=False) == CALM
