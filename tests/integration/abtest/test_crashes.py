"""abtest as two real processes, killed and stopped in the middle of their work."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import cycle, islice
from typing import Any
from uuid import UUID

import pytest

from deploy.jobs.ab_tests import recount_tests
from deploy.jobs.where import Where
from services.abtest.domain.memory import NOTHING
from services.abtest.domain.results import results
from shared.experiments.results import ResultsAnswer
from tests.faults.victims import Victim, two_of
from tests.integration.abtest.conftest import World, exact, operations_of
from tests.integration.abtest.pasts import (
    PRODUCTION,
    completed,
    is_complete,
    operations_before,
    started_at,
)
from tests.integration.abtest.test_abtest import exposure
from tests.support.amounts import amount
from tests.support.events import feedback, operation
from tests.support.past import store, totals
from tests.support.system import SECRET
from tests.support.waiting import eventually

TURNS = (
    "postgres.before_begin:2",
    "postgres.in_transaction:1",
    "postgres.in_transaction:3",
    "postgres.after_commit:2",
    "postgres.in_transaction:2:stop",  # a zombie: woken when another has taken over
)
MORE = (
    "postgres.after_commit:1",
    "postgres.in_transaction:2",
    "",  # from outside, at whatever moment
    "postgres.before_begin:3",
    "postgres.in_transaction:4",
    "",
)
TURNS_OF = (5, 22, 66)
"""In `make test`, in `make faults` (20 kills and 2 stops), at night."""
A_TURN = 400
USERS = 60


@pytest.fixture(scope="module")
def world(surroundings: World) -> World:
    """abtest does not run here by itself."""
    return surroundings


@pytest.fixture(scope="module")
def victims(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Victim]]:
    """Two processes of it."""
    env = {
        "ASSAY_KAFKA_BOOTSTRAP_SERVERS": world.settings.kafka_bootstrap_servers,
        "ASSAY_TOPIC_PREFIX": world.settings.topic_prefix,
        "ASSAY_REDIS_URL": world.settings.redis_url.get_secret_value(),
        "ASSAY_POSTGRES_DSN": world.settings.postgres_dsn.get_secret_value(),
        "ASSAY_SECRET_KEY": SECRET,
        "ASSAY_ABTEST_MAX_RECORDS": "200",
    }
    with two_of("abtest", env, tmp_path_factory.mktemp("abtest")) as two:
        yield two


@pytest.mark.faults
@pytest.mark.timeout(900)
async def test_killed_and_stopped_anywhere_it_counts_each_event_once(
    world: World, victims: list[Victim]
) -> None:
    test_id = await world.begin("hammered", min_runtime_hours=0, auto_pause=False)
    chance = random.Random(7)
    turns = list(islice(cycle(TURNS + MORE), TURNS_OF[amount()]))
    for victim in victims:
        victim.start()
    for turn, point in enumerate(turns):
        victim = victims[turn % 2]
        victim.wake()
        victim.kill()
        victim.start(point or None)
        await victim.ready()
        await _send(world, test_id, turn, chance)
        await _struck(world, victim, point, sum(world.sent.values()) - chance.randrange(A_TURN))
    for victim in victims:
        if not victim.alive:
            victim.start()
    await _send(world, test_id, len(turns), chance)
    await world.settled()
    for victim in victims:
        victim.wake()  # one that stood still: it must not write any more
    await _send(world, test_id, len(turns) + 1, chance)
    await world.settled()
    arms = await exact(world, test_id)
    await _results_are_those_of_the_rows(world, test_id)
    rows = await world.rows(test_id)
    sent = A_TURN * (len(turns) + 2)
    assert sum(row.kind == "o" for row in rows) == sent
    assert sum(row.kind == "f" for row in rows) == sent / 2
    assert sum(arm.units + arm.multiple for arm in arms.values()) == USERS
    fences = await world.sql(
        "SELECT sum(accepted + duplicates + dead + gaps) AS told, sum(next_offset) AS next"
        " FROM consumer_fence WHERE consumer_group = 'abtest'"
    )
    assert fences[0]["told"] == fences[0]["next"] == sum(world.sent.values())
    killed = sum(not point.endswith(":stop") for point in turns)
    print(
        f"{killed} kills and {len(turns) - killed} stops over {sum(world.sent.values())} records,"
        f" {len(rows)} rows: sums and results are those of the rows, 0 lost, 0 twice"
    )


@pytest.mark.faults
@pytest.mark.timeout(300)
async def test_killed_before_and_after_its_commit_a_verdict_is_told_once(
    world: World, victims: list[Victim]
) -> None:
    for victim in victims:
        victim.wake()
        victim.kill()
    test_id = await world.begin("killed", min_runtime_hours=0)
    await world.send(
        "operations",
        await operations_of(world, test_id, 400, {"a": 0.9, "b": 0.4}, first=900_000),
    )
    for victim, point in zip(victims, ("before_commit", "after_commit"), strict=True):
        victim.start(f"verdicts.{point}:1")
        await eventually(
            lambda victim=victim: not victim.alive,  # type: ignore[misc]
            why=f"reaches {point}",
            deadline_s=60,
        )
        assert victim.killed_itself
    victims[0].start()
    await world.settled()

    async def is_paused() -> bool:
        rows = await world.sql("SELECT state FROM ab_tests WHERE test_id = $1", test_id)
        return str(rows[0]["state"]) == "paused"

    await eventually(is_paused, why="it is paused", deadline_s=60)
    told = await world.verdicts(test_id)
    assert told[-1] == ("STOP_HARM", "paused")
    assert len(set(told)) == len(told), "each verdict of growing data once"


@pytest.mark.faults
@pytest.mark.timeout(300)
async def test_killed_in_a_slice_of_the_past_it_is_read_once(
    world: World, victims: list[Victim]
) -> None:
    for victim in victims:
        victim.wake()
        victim.kill()
    test_id = await world.begin("remembers", **PRODUCTION)
    end = await started_at(world, test_id)
    before = operations_before(end, 1_500, 40, seed=4)
    await store(world.dsn, "acme", before)
    for victim, point in zip(
        victims, ("past.in_transaction:3", "past.in_transaction:5"), strict=True
    ):
        victim.start(point)
        await eventually(
            lambda victim=victim: not victim.alive,  # type: ignore[misc]
            why=f"reaches {point}",
            deadline_s=60,
        )
        assert victim.killed_itself
    assert not await is_complete(world, test_id)
    victims[0].start()
    await completed(world, test_id)
    assert await world.pasts(test_id) == totals("acme", test_id, before, end)


async def _struck(world: World, victim: Victim, point: str, enough: int) -> None:
    """It reached its point; or, without one, is killed once so many records were counted."""
    if not point:

        async def so() -> bool:
            return await _counted(world) >= enough

        await eventually(so, why=f"{enough} records are counted", deadline_s=60)
        victim.kill()
    await eventually(
        lambda: not victim.alive or victim.is_stopped, why=f"reaches {point}", deadline_s=60
    )


async def _counted(world: World) -> int:
    rows = await world.sql(
        "SELECT coalesce(sum(next_offset), 0)::bigint AS n FROM consumer_fence"
        " WHERE consumer_group = 'abtest'"
    )
    return int(rows[0]["n"])


async def _results_are_those_of_the_rows(world: World, test_id: UUID) -> None:
    """All but what looks remember: p-values are the smallest of all looks."""
    state = await world.state(test_id)

    async def is_seen() -> bool:
        rows = await world.sql(
            "SELECT memory -> 'seen' ->> 'version' AS v FROM ab_results WHERE test_id = $1", test_id
        )
        return bool(rows) and int(rows[0]["v"]) == state.version

    await eventually(is_seen, why="the last change was looked at", deadline_s=60)
    kept = await world.sql("SELECT body FROM ab_results WHERE test_id = $1", test_id)
    stored = ResultsAnswer.model_validate_json(kept[0]["body"])
    # `exact` has shown that this state is what the rows say.
    again, _ = results(state, NOTHING, state.last_event_at or state.started_at)
    assert _of_this_look(stored) == _of_this_look(again)
    where = Where(world.dsn, world.settings.redis_url.get_secret_value(), "ai.")
    assert not any(one.differs for one in await recount_tests(where))


def _of_this_look(answer: ResultsAnswer) -> Any:
    found = answer.model_dump(exclude={"verdict", "recommendation", "winner", "days_left"})
    for name in ("p_value", "broken"):
        del found["srm"][name]
    for one in found["comparisons"]:
        for name in ("p_value", "p_adjusted", "significant"):
            del one[name]
    return found


async def _send(world: World, test_id: UUID, turn: int, chance: random.Random) -> None:
    """Operations, feedback on half of them, exposures of some units, in any order."""
    numbers = range(turn * A_TURN, (turn + 1) * A_TURN)
    operations = [operation(n, user_id=f"user-{n % USERS}") for n in numbers]
    said = [feedback(n) for n in numbers if n % 2]
    test, at = await world.live(test_id), datetime.now(UTC)
    shown = []
    for unit in chance.sample(range(USERS), 5):
        placed = test.place(f"user-{unit}", at)
        assert placed is not None
        number = turn * USERS + unit
        shown.append(exposure(number, test_id, f"user-{unit}", placed.variant))
    parts = [("operations", operations), ("feedback", said), ("exposures", shown)]
    chance.shuffle(parts)
    for kind, events in parts:
        await world.send(kind, events)
