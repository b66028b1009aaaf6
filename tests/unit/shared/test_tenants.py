"""A tenant that was made a moment ago is known; strangers cost the others little."""

import asyncio
from collections.abc import Iterator

import pytest

from shared import clock
from shared.tenants import ANOTHER_WAIT_S, AT_MOST_EVERY_S, MOST_WAITS, Tenants

real_sleep = asyncio.sleep


class Town:
    """A clock that only moves when somebody sleeps, and the tenants that there are."""

    def __init__(self) -> None:
        self.now, self.slept_s, self.loads = 1_000.0, 0.0, 0
        self.there = {"acme": False}
        self.is_away = False
        self.tenants = Tenants(self.load)

    async def load(self) -> dict[str, bool]:
        self.loads += 1
        await real_sleep(0)  # others have their turn
        if self.is_away:
            raise OSError("away")
        return dict(self.there)

    async def sleep(self, seconds: float) -> None:
        self.slept_s += seconds
        await real_sleep(0)
        self.now += seconds

    async def waited(self, name: str) -> float:
        """How long somebody waits who has met a name."""
        before = self.slept_s
        await self.tenants.look_again([name])
        return self.slept_s - before


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    made = Town()
    monkeypatch.setattr(clock, "monotonic", lambda: made.now)
    monkeypatch.setattr(asyncio, "sleep", made.sleep)
    return made


async def test_what_follows_at_once_upon_its_tenant_is_no_strangers(town: Town) -> None:
    await town.tenants.refresh()
    town.there["new"] = True
    town.now += 0.25
    assert await town.waited("new") == AT_MOST_EVERY_S - 0.25
    assert "new" in town.tenants
    assert town.tenants.content_free("new")


async def test_after_a_second_nobody_waits(town: Town) -> None:
    await town.tenants.refresh()
    town.now += AT_MOST_EVERY_S
    town.there["new"] = False
    assert await town.waited("new") == 0
    assert "new" in town.tenants


async def test_several_who_met_it_wait_together(town: Town) -> None:
    await town.tenants.refresh()
    town.there["new"] = False
    await asyncio.gather(*(town.tenants.look_again(["new"]) for _ in range(6)))
    assert (town.slept_s, town.loads) == (AT_MOST_EVERY_S, 2)


async def test_a_stranger_is_waited_for_once_in_ten_seconds(town: Town) -> None:
    await town.tenants.refresh()
    assert await town.waited("nobody") > 0
    for _ in range(1_000):
        town.now += 0.1
        await town.waited("nobody")
    assert town.slept_s <= AT_MOST_EVERY_S * (1 + 1_000 * 0.1 / ANOTHER_WAIT_S)
    assert town.loads <= 2 + (1_000 * 0.1 + town.slept_s) / AT_MOST_EVERY_S


async def test_a_look_that_failed_keeps_nobody_from_looking(town: Town) -> None:
    await town.tenants.refresh()
    town.now += AT_MOST_EVERY_S
    town.there["new"], town.is_away = False, True
    for _ in range(2 * MOST_WAITS):
        with pytest.raises(OSError, match="away"):
            await town.tenants.look_again(["new"])
    town.is_away = False
    assert await town.waited("new") == 0
    assert "new" in town.tenants
    assert await town.waited("nobody") == AT_MOST_EVERY_S  # no wait was spent on it


async def test_ever_new_names_hold_others_up_a_second_in_ten(town: Town) -> None:
    await town.tenants.refresh()
    for number in range(MOST_WAITS):
        assert await town.waited(f"nobody-{number}") == AT_MOST_EVERY_S
    began, slept_s = town.now, town.slept_s
    for number in range(10_000):
        await town.tenants.look_again([f"more-{number}"])
        town.now += 0.01
    lasted = town.now - began
    assert town.slept_s - slept_s <= AT_MOST_EVERY_S * (1 + lasted / ANOTHER_WAIT_S)


async def test_one_who_was_refused_and_then_made_is_no_stranger_for_good(town: Town) -> None:
    await town.tenants.refresh()
    await town.tenants.look_again(["late"])
    town.now += ANOTHER_WAIT_S
    await town.tenants.refresh()
    town.there["late"] = False
    assert await town.waited("late") == AT_MOST_EVERY_S
    assert "late" in town.tenants
