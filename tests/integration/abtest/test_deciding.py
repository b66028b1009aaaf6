"""From events to verdicts, and what follows from them by itself."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from services.abtest.domain.steering import ChangedError, Due
from services.abtest.store.results import PostgresResults
from shared.events.experiment import ExperimentEvent
from shared.experiments.results import ResultsAnswer
from tests.integration.abtest.conftest import World, operations_of
from tests.support.events import operation


async def _send(
    world: World, test_id: UUID, rates: tuple[float, float], first: int, units: int = 400
) -> None:
    shares = dict(zip("ab", rates, strict=True))
    await world.send("operations", await operations_of(world, test_id, units, shares, first=first))


async def test_a_test_without_events_is_collecting_and_nobody_is_told(world: World) -> None:
    test_id = await world.begin("empty")
    found = await world.looked(test_id)
    answer = ResultsAnswer.model_validate_json(found["body"])
    assert (found["verdict"], answer.winner) == ("COLLECTING", None)
    assert "no users yet" in answer.recommendation
    assert await world.verdicts(test_id) == []


async def test_harm_pauses_until_a_person_says_otherwise(world: World) -> None:
    test_id = await world.begin("harmful")
    await _send(world, test_id, (0.9, 0.3), 100_000)
    found = await world.looked(test_id)
    assert (found["verdict"], found["state"], found["winner"]) == ("STOP_HARM", "paused", None)
    assert ResultsAnswer.model_validate_json(found["body"]).state == "paused"
    assert found["as_of"] == (await world.state(test_id)).last_event_at

    rows = await world.sql(
        "SELECT event_id, occurred_at, reason, body FROM ab_test_steps WHERE test_id = $1"
        " ORDER BY occurred_at DESC LIMIT 1",
        test_id,
    )
    event = ExperimentEvent.model_validate_json(rows[0]["body"])
    assert (event.event_id, event.occurred_at) == (rows[0]["event_id"], rows[0]["occurred_at"])
    assert (event.verdict, event.state, event.actor, event.epoch) == (
        *("STOP_HARM", "paused", None, 1),
    )
    assert event.reason == rows[0]["reason"]
    assert event.reason.startswith("Paused by itself: Turn b off now")
    assert 200 <= sum(event.samples.values()) <= 400, "as soon as it is sure"
    (effect,) = event.effects
    assert effect.difference is not None
    assert -0.9 < effect.difference < -0.3

    # Somebody wants it nevertheless: it goes on, and what comes then counts.
    await world.step(test_id, "running", datetime.now(UTC), actor="ann")
    await _send(world, test_id, (0.9, 0.3), 110_000, units=60)
    found = await world.looked(test_id)
    assert (found["verdict"], found["state"]) == ("STOP_HARM", "running")
    assert [one for one in await world.verdicts(test_id) if one[0] == "STOP_HARM"] == [
        ("STOP_HARM", "paused")
    ]


async def test_harm_is_only_told_where_nobody_wants_it_paused(world: World) -> None:
    test_id = await world.begin("brave", auto_pause=False)
    await _send(world, test_id, (0.9, 0.3), 200_000)
    found = await world.looked(test_id)
    assert (found["verdict"], found["state"]) == ("STOP_HARM", "running")
    assert (await world.verdicts(test_id))[-1] == ("STOP_HARM", "running")


async def test_a_winner_ends_a_test_that_may_be_ended(world: World) -> None:
    test_id = await world.begin("winning", min_runtime_hours=0, auto_conclude=True)
    await _send(world, test_id, (0.5, 0.9), 300_000)
    found = await world.looked(test_id)
    assert (found["verdict"], found["state"], found["winner"]) == ("SHIP", "concluded", "b")
    assert abs(found["ended_at"] - datetime.now(UTC)) < timedelta(minutes=1)
    told = await world.verdicts(test_id)
    assert told[-1] == ("SHIP", "concluded")
    assert len(told) == len(set(told))


async def test_a_winner_is_told_and_the_test_goes_on(world: World) -> None:
    test_id = await world.begin("leading", min_runtime_hours=0)
    await _send(world, test_id, (0.5, 0.9), 400_000)
    found = await world.looked(test_id)
    assert (found["verdict"], found["state"], found["winner"]) == ("SHIP", "running", None)
    assert ResultsAnswer.model_validate_json(found["body"]).winner == "b"


async def test_equal_variants_decide_nothing(world: World) -> None:
    test_id = await world.begin("equal", min_runtime_hours=0, auto_conclude=True)
    await _send(world, test_id, (0.8, 0.8), 500_000)
    found = await world.looked(test_id)
    assert (found["verdict"], found["state"]) == ("KEEP_RUNNING", "running")


async def test_a_deed_of_a_person_is_looked_at(world: World) -> None:
    test_id = await world.begin("stopped", min_runtime_hours=0)
    await _send(world, test_id, (0.8, 0.8), 600_000)
    await world.looked(test_id)
    await world.step(test_id, "stopped", datetime.now(UTC), actor="ann")
    found = await world.looked(test_id)
    answer = ResultsAnswer.model_validate_json(found["body"])
    assert (answer.verdict, answer.state) == ("INCONCLUSIVE", "stopped")
    assert (await world.verdicts(test_id))[-1] == ("INCONCLUSIVE", "stopped")


async def test_what_changes_nothing_is_not_told_again(world: World) -> None:
    test_id = await world.begin("steady")
    await _send(world, test_id, (0.8, 0.8), 700_000)
    await world.looked(test_id)
    before = await world.verdicts(test_id)
    await world.send("operations", [operation(700_900, user_id="u-700000")])
    await world.looked(test_id)
    assert await world.verdicts(test_id) == before


async def test_looks_leave_what_they_said_over_time(world: World) -> None:
    test_id = await world.begin("remembered")
    asked = "SELECT * FROM ab_results_history WHERE test_id = $1 ORDER BY at, is_first"
    await _send(world, test_id, (0.9, 0.3), 750_000)
    found = await world.looked(test_id)
    (told,) = ResultsAnswer.model_validate_json(found["body"]).comparisons
    rows = await world.sql(asked, test_id)
    last = [row for row in rows if not row["is_first"]][-1]
    assert (last["at"], last["units"], last["difference"], last["low"], last["high"]) == (
        *(found["as_of"], 400, told.difference, told.low, told.high),
    )
    assert [row["high"] < 0 for row in rows if row["is_first"]] == [True]

    # A step of a person's is looked at, and says of the units what was said before.
    await world.step(test_id, "stopped", datetime.now(UTC), actor="ann")
    await world.looked(test_id)
    assert await world.sql(asked, test_id) == rows


async def test_what_two_do_at_once_holds_once(world: World) -> None:
    test_id = await world.begin("contested")
    await world.looked(test_id)
    rows = await world.sql("SELECT computed_at FROM ab_results WHERE test_id = $1", test_id)
    due = Due("acme", test_id, rows[0]["computed_at"])
    dsn = world.settings.postgres_dsn.get_secret_value()
    async with asyncpg.create_pool(dsn, min_size=2, max_size=2) as pool:
        store = PostgresResults(pool)
        async with store.looking(due) as first:
            assert first is not None
            async with store.looking(due) as second:
                assert second is None, "another look is under way"
        async with store.looking(due._replace(looked_at=None)) as late:
            assert late is None, "another look was faster"

        async def overtaken() -> None:
            async with store.looking(due) as look:
                assert look is not None
                await world.step(test_id, "paused", datetime.now(UTC), actor="ann")
                await look.steps()

        with pytest.raises(ChangedError):
            await overtaken()
