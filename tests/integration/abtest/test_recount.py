"""Sums that are lost or wrong come back from their events, also while events come."""

import pytest

from deploy.jobs.ab_tests import recount_tests
from deploy.jobs.where import Where
from services.abtest.domain.recounting import Recounted
from tests.integration.abtest.conftest import World, exact, operations_of, snapshot
from tests.support.events import feedback


async def _recounted(world: World, key: str) -> Recounted:
    where = Where(world.dsn, world.settings.redis_url.get_secret_value(), "ai.")
    return next(one for one in await recount_tests(where) if one.key == key)


async def _filled(world: World, key: str, first: int) -> tuple[object, list[object]]:
    test_id = await world.begin(key)
    events = await operations_of(world, test_id, 300, {"a": 0.8, "b": 0.8}, first=first)
    await world.send("operations", events)
    await world.send("feedback", [feedback(number) for number in range(first, first + 300, 3)])
    await world.settled()
    return test_id, list(await snapshot(world, test_id))


async def test_what_is_right_stays(world: World) -> None:
    await _filled(world, "right", 800_000)
    assert await _recounted(world, "right") == Recounted("acme", "right", 300, 0, 0)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param("UPDATE ab_sums SET m = m + 3, n = n - 1", id="sums"),
        pytest.param("DELETE FROM ab_sketches", id="sketches"),
        pytest.param("DELETE FROM ab_days", id="days"),
        pytest.param("DELETE FROM ab_arms", id="arms"),
        pytest.param("UPDATE ab_arms SET r1 = r1 + 1, r4 = 0", id="ratings"),
        pytest.param("UPDATE ab_units SET ok = ok + 1, first_at = now()", id="units"),
        pytest.param("DELETE FROM ab_units", id="lost units"),
    ],
)
async def test_what_is_damaged_is_mended(
    world: World, damage: str, request: pytest.FixtureRequest
) -> None:
    key = request.node.callspec.id.replace(" ", "-")
    first = 1_000_000 + 1_000 * sum(key.encode())
    test_id, before = await _filled(world, key, first)
    await world.sql(f"{damage} WHERE test_id = $1", test_id)
    found = await _recounted(world, key)
    assert found.differs
    assert await snapshot(world, test_id) == before  # type: ignore[arg-type]
    await exact(world, test_id)  # type: ignore[arg-type]
    assert not (await _recounted(world, key)).differs


async def test_while_events_come_nothing_is_counted_twice(world: World) -> None:
    test_id = await world.begin("busy")
    events = await operations_of(world, test_id, 1_200, {"a": 0.8, "b": 0.8}, first=2_000_000)
    for start in range(0, 1_200, 300):
        await world.send("operations", events[start : start + 300])
        # Of the same units, so that their rows are being changed.
        again = [feedback(2_000_000 + number) for number in range(start, start + 300, 2)]
        await world.send("feedback", again)
        assert not (await _recounted(world, "busy")).differs
    await world.settled()
    await exact(world, test_id)
    assert await _recounted(world, "busy") == Recounted("acme", "busy", 1_200, 0, 0)
