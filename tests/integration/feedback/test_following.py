"""Operations that ingest stores after somebody spoke of them: none is passed over."""

from services.feedback.app import run
from services.ingest.app import run as run_ingest
from tests.integration.feedback.conftest import World
from tests.integration.feedback.test_feedback import answered, said
from tests.support.system import running
from tests.support.waiting import eventually


async def test_a_partition_that_ingest_began_while_feedback_was_down_is_read_from_its_beginning(
    surroundings: World,
) -> None:
    """Found by killing: a second start took what ingest had stored meanwhile for known."""
    world = surroundings
    await world.send("feedback", [said(1, rating=5)])

    async def waits() -> bool:
        rows = await world.sql("SELECT count(*) FROM feedback_operations WHERE found_at IS NULL")
        return bool(rows[0][0])

    async with running(run(world.settings)):
        await eventually(waits, why="it waits for its operation")
    async with running(run_ingest(world.ingest)):
        await world.send("operations", [answered(1)])

        async def stored() -> bool:
            rows = await world.sql("SELECT count(*) FROM ai_model_operations")
            return bool(rows[0][0])

        await eventually(stored, why="ingest has stored it")
        async with running(run(world.settings)):
            await world.settled()
    assert (await world.answer("op-1")).output == "It is 1."
