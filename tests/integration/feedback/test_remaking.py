"""`assay rebuild training`: history by another formula, and what that would change."""

from typing import Any

from deploy.jobs.training import compare_formulas, remake_rows
from deploy.jobs.where import Where
from services.feedback.app import run
from services.ingest.app import run as run_ingest
from tests.integration.feedback.conftest import World
from tests.integration.feedback.test_feedback import answered, said
from tests.support.system import running


async def test_another_formula_is_applied_to_history_and_compared_before(
    surroundings: World,
) -> None:
    world = surroundings
    where = Where(world.dsn, world.values["redis_url"], world.prefix)
    numbers = range(30)
    contrary = {"rating": 5, "comment": "Wrong and outdated, useless."}
    async with running(run_ingest(world.ingest)):
        old = world.settings.model_copy(update={"training_formula": "1"})
        async with running(run(old)):
            await world.send("operations", [answered(n) for n in numbers])
            await world.send("feedback", [said(n, **contrary) for n in numbers])
            await world.settled()
        before = await weights(world)
        found = await compare_formulas(where, "1", "2")
        assert (found.rows, found.raised, found.lowered) == (30, 0, 30)
        async with running(run(world.settings)):
            done = await remake_rows(where)
        after = await weights(world)
    assert done == (30, 0)
    assert {version for _, version in before} == {"1"}
    assert {version for _, version in after} == {"2"}
    assert abs(sum(w for w, _ in before) / 30 - (found.mean_old or 0)) < 1e-12
    assert abs(sum(w for w, _ in after) / 30 - (found.mean_new or 0)) < 1e-12


async def weights(world: World) -> list[Any]:
    """Weight and version of each row."""
    rows = await world.sql("SELECT weight, formula_version FROM model_training_data")
    return [tuple(row) for row in rows]
