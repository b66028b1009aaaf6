"""From topics to sums: each event once, whatever its order, and sums equal to their events."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from deploy.jobs.fences import Group, standings
from deploy.jobs.where import Where
from services.abtest.store.upkeep import PostgresUpkeep
from shared.pseudonym import pseudonym
from tests.integration.abtest.conftest import World, exact, snapshot
from tests.support.events import event_id, feedback, now_text, operation
from tests.support.system import SECRET

COUNT = 900


def exposure(number: int, test_id: UUID, unit: str, variant: str, **changes: Any) -> dict[str, Any]:
    """A unit was shown a variant."""
    return {
        "event_id": event_id(20_000_000 + number),
        "tenant_id": "acme",
        "occurred_at": now_text(ago_s=100),
        "test_id": str(test_id),
        "unit_id": unit,
        "variant": variant,
        **changes,
    }


async def test_sums_equal_their_events_over_all_partitions(world: World) -> None:
    test_id = await world.begin("everything")
    test = await world.live(test_id)
    users = [f"user-{number}" for number in range(50)]
    at = datetime.now(UTC)
    variant = {user: placed.variant for user in users if (placed := test.place(user, at))}
    operations = [operation(number) for number in range(COUNT)]
    judgements = [feedback(number) for number in range(0, COUNT, 3)]
    shown = [
        exposure(number, test_id, user, variant[user])
        for number, user in enumerate(users)
        if number % 3 == 0
    ]
    other = "b" if variant["user-9"] == "a" else "a"
    shown.append(exposure(9_999, test_id, "user-9", other))
    # Exposures of some before their operations, of others after them; a third of feedback first.
    await world.send("feedback", judgements[:100])
    await world.send("exposures", shown[:8])
    await world.send("operations", operations)
    await world.send("feedback", judgements[100:])
    await world.send("exposures", shown[8:])
    await world.settled()

    arms = await exact(world, test_id)
    assert set(arms) == {(1, "a"), (1, "b")}
    assert sum(arm.units for arm in arms.values()) == 49
    assert sum(arm.multiple for arm in arms.values()) == 1
    rows = await world.rows(test_id)
    assert {"o": COUNT, "f": 300, "e": len(shown)} == {
        kind: sum(row.kind == kind for row in rows) for kind in "ofe"
    }
    counted = sum(arm.operations for arm in arms.values())
    assert 0 < counted < COUNT, "operations before their unit's first exposure do not count"
    partitions = await world.sql("SELECT DISTINCT shard FROM ab_arms WHERE test_id = $1", test_id)
    assert len(partitions) > 2


async def test_where_it_stands_is_listed(world: World) -> None:
    await world.begin("stands")
    await world.send("operations", [operation(40_000, user_id="s1")])
    await world.settled()
    url = world.settings.redis_url.get_secret_value()
    where = Where(world.dsn, url, world.settings.topic_prefix)
    found = await standings(where, world.settings.connection, Group.ABTEST)
    assert sum(one.next_offset for one in found) == sum(world.sent.values())
    assert {(one.group, one.incident, one.live_next_offset) for one in found} == {
        (Group.ABTEST, None, None)
    }


async def test_units_are_stored_by_pseudonym_only(world: World) -> None:
    units = {row["unit"] for row in await world.sql("SELECT DISTINCT unit FROM ab_units")}
    assert pseudonym(SECRET.encode(), "acme", "user-1") in units
    assert not any("user" in unit for unit in units)


async def test_replay_changes_nothing(world: World) -> None:
    test_id = await world.begin("replayed")
    events = [operation(10_000 + number, user_id=f"r{number % 7}") for number in range(200)]
    said = [feedback(10_000 + number) for number in range(0, 200, 2)]
    await world.send("operations", events)
    await world.send("feedback", said)
    await world.settled()
    before = await snapshot(world, test_id)
    random.Random(1).shuffle(events)
    await world.send("operations", events)
    await world.send("feedback", said)
    await world.settled()
    assert await snapshot(world, test_id) == before
    await exact(world, test_id)
    counted = await world.sql(
        "SELECT sum(duplicates) AS twice, sum(accepted + duplicates + dead + gaps) AS all"
        " FROM consumer_fence WHERE consumer_group = 'abtest'"
    )
    assert counted[0]["twice"] == 300
    assert counted[0]["all"] == sum(world.sent.values())


async def test_feedback_waits_for_its_operation(world: World) -> None:
    test_id = await world.begin("waiting")
    await world.send("feedback", [feedback(20_000 + number, rating=4) for number in range(20)])
    await world.settled()
    waits = await world.sql("SELECT count(*) FROM ab_waiting WHERE operation_id LIKE 'op-200%'")
    assert waits[0][0] == 20
    events = [operation(20_000 + number, user_id=f"w{number % 5}") for number in range(20)]
    await world.send("operations", events)
    await world.settled()
    arms = await exact(world, test_id)
    assert sum(arm.sums["rating"].n for arm in arms.values() if "rating" in arm.sums) == 5
    assert sum(arm.sums["helpful"].d for arm in arms.values() if "helpful" in arm.sums) == 20
    waits = await world.sql("SELECT count(*) FROM ab_waiting WHERE operation_id LIKE 'op-200%'")
    assert waits[0][0] == 0


async def test_of_two_feedbacks_under_one_identity_the_first_waits_and_nothing_stands_still(
    world: World,
) -> None:
    """Sorted whole, None and a number would be compared, at every attempt anew."""
    test_id = await world.begin("two-under-one")
    said = feedback(60_000, rating=None, helpful=True)
    await world.send("feedback", [said, said | {"rating": 4}, said | {"rating": 2}])
    await world.settled()
    await world.send("operations", [operation(60_000, user_id="t1")])
    await world.settled()
    (arm,) = (await exact(world, test_id)).values()
    assert arm.sums["helpful"].d == 1
    assert "rating" not in arm.sums


async def test_feedback_that_missed_its_operation_is_joined_by_the_clock(world: World) -> None:
    test_id = await world.begin("missed")
    await world.send("operations", [operation(70_000, user_id="m1")])
    await world.settled()
    await world.sql(
        """
        INSERT INTO ab_waiting (tenant_id, event_id, occurred_at, operation_id, arrived_at, rating)
        VALUES ('acme', gen_random_uuid(), now(), 'op-70000', now(), 5)
        """
    )
    await world.settled()
    (arm,) = (await exact(world, test_id)).values()
    assert arm.sums["rating"].m == 5_000_000


async def test_long_after_its_end_a_test_keeps_sums_and_nobody(world: World) -> None:
    test_id = await world.begin("forgotten")
    await world.send("operations", [operation(80_000, user_id="g1")])
    await world.settled()
    state = await world.state(test_id)
    await world.step(test_id, "stopped", datetime.now(UTC) - timedelta(days=31))
    dsn = world.settings.postgres_dsn.get_secret_value()
    async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as pool:
        assert await PostgresUpkeep(pool).remove_old(timedelta(days=7), 1_000) == 2
    assert await world.rows(test_id) == []
    assert (await world.state(test_id)).arms == state.arms
    await world.send("operations", [operation(80_001, user_id="g1")])
    await world.settled()
    assert await world.rows(test_id) == []


async def test_only_what_ran_and_passes_the_filter_counts(world: World) -> None:
    chat = {"operation_type": "summary", "environment": "staging"}
    test_id = await world.begin("filtered", filter=chat)
    now = datetime.now(UTC)
    await world.step(test_id, "paused", now - timedelta(minutes=20))
    await world.step(test_id, "running", now - timedelta(minutes=10))

    def one(number: int, minutes: float, **changes: Any) -> dict[str, Any]:
        said = (now - timedelta(minutes=minutes)).isoformat()
        fields = {"occurred_at": said, "user_id": "f1", **chat, **changes}
        return operation(30_000 + number, **fields)

    await world.send(
        "operations",
        [
            one(0, 30),
            one(1, 15),  # while it was paused
            one(2, 5),
            one(3, 90),  # before it began
            one(4, 5, environment="production"),
            one(5, 5, operation_type="chat"),
            one(6, 5, user_id=None),
        ],
    )
    await world.settled()
    assert {row.operation_id for row in await world.rows(test_id)} == {"op-30000", "op-30002"}
    state = await world.state(test_id)
    assert state.first_event_at == now - timedelta(minutes=30)
    assert state.last_event_at == now - timedelta(minutes=5)
    assert abs(state.run_hours - 45 / 60) < 0.01
    assert state.as_of is not None


async def test_feedback_after_the_end_does_not_change_a_test_that_has_ended(world: World) -> None:
    test_id = await world.begin("ended")
    await world.send("operations", [operation(40_000, user_id="e1")])
    await world.settled()
    ended = datetime.now(UTC) - timedelta(seconds=30)
    await world.step(test_id, "stopped", ended)
    late, early = ended + timedelta(seconds=1), ended - timedelta(seconds=1)
    await world.send(
        "feedback",
        [
            feedback(40_000, occurred_at=late.isoformat()),
            feedback(40_000, event_id=event_id(77), occurred_at=early.isoformat()),
        ],
    )
    await world.settled()
    assert sum(row.kind == "f" for row in await world.rows(test_id)) == 1
    await exact(world, test_id)


async def test_exposures_that_say_nothing_are_left_out(world: World) -> None:
    test_id = await world.begin("shown")
    await world.send(
        "exposures",
        [
            exposure(100, test_id, "x1", "nobody's"),
            exposure(101, UUID(int=7), "x1", "a"),
            {**exposure(102, test_id, "x1", "a"), "test_id": "no uuid"},
            exposure(103, test_id, "x1", "a", occurred_at=now_text(ago_s=7_200)),
            exposure(104, test_id, "x1", "a", epoch=9),
            exposure(105, test_id, "x\x1f1", "a"),
        ],
    )
    await world.settled()
    assert await world.rows(test_id) == []


async def test_two_tenants_with_equal_ids_are_two(world: World) -> None:
    ours = await world.begin("shared")
    theirs = await world.begin("shared", tenant="globex")
    same = [operation(50_000 + number, user_id="t1") for number in range(10)]
    await world.send("operations", same)
    await world.send("operations", [{**one, "tenant_id": "globex"} for one in same[:4]])
    await world.send("feedback", [feedback(50_009, tenant_id="globex")])
    await world.settled()
    assert len(await world.rows(ours)) == 10
    assert len(await world.rows(theirs)) == 4
    assert {row.tenant_id for row in await world.rows(theirs)} == {"globex"}
    state = await world.state(theirs, "globex")
    assert sum(arm.operations for arm in state.arms.values()) == 4


async def test_a_change_raises_the_version_and_only_its_own(world: World) -> None:
    test_id = await world.begin("versions")
    await world.send("operations", [operation(60_000, user_id="v1")])
    await world.settled()
    first = (await world.state(test_id)).version
    second = operation(60_001, user_id="v1")
    await world.send("operations", [second])
    await world.settled()
    assert (await world.state(test_id)).version == first + 1
    await world.send("operations", [second])
    await world.settled()
    assert (await world.state(test_id)).version == first + 1


async def test_cells_are_the_units_that_they_hold(world: World) -> None:
    cells = await world.sql("SELECT test_id, sum(units), sum(n) FROM ab_cells GROUP BY 1")
    arms = await world.sql("SELECT test_id, sum(units), sum(operations) FROM ab_arms GROUP BY 1")
    by_test = {row[0]: tuple(row) for row in arms}
    assert len(cells) > 5
    assert [tuple(row) for row in cells] == [by_test[row[0]] for row in cells]
