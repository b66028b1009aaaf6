"""What is reckoned anew finds nothing wrong with abtest, and something with each of its bugs."""

from pathlib import Path

import pytest

from tests.faults.lab.judging import judged
from tests.faults.lab.stage import Place, opened
from tests.faults.mutants import OF_ABTEST
from tests.support.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.integration, pytest.mark.timeout(300)]

PORTIONS = 40
# In how many parts it is sent, each once the one before is counted: what is sent at once may be
# read as one batch of each partition, and then neither repeats nor feedback ahead of time show.
APART = {"sums_added_again": 4, "feedback_not_awaited": 20}
# What each bug needs to show itself: a point at which abtest is killed, or none; and the finding.
SCENARIOS = {
    "none": ("", ""),
    "sums_added_again": ("", "different"),
    "feedback_not_awaited": ("", "different"),
    "position_before_rows": ("postgres.in_transaction:4", "lost"),
    "position_after_rows": ("postgres.in_transaction:4", "double"),
    "step_apart_from_results": ("verdicts.before_commit:1", "double"),
}


@pytest.mark.parametrize("mutant", SCENARIOS)
async def test_a_bug_of_abtest_is_noticed(
    mutant: str,
    kafka_bootstrap: str,
    fresh_prefix: str,
    fresh_database: str,
    redis_url: str,
    seed: int,
    tmp_path: Path,
) -> None:
    point, wanted = SCENARIOS[mutant]
    place = Place(kafka_bootstrap, fresh_prefix, fresh_database, redis_url, tmp_path)
    async with opened(place, seed, mutant) as lab:
        victim = lab.victims[0]
        victim.start(point or None)
        parts = APART.get(mutant, 1)
        for part in range(1, parts + 1):
            await lab.send(PORTIONS // parts)
            if part < parts:
                await lab.settled()
        if point:
            await eventually(lambda: not victim.alive, why=f"{point} is reached", deadline_s=60)
            assert victim.killed_itself, victim.tail()
            victim.start()
        await lab.settled()
        found = await judged(lab)
    if not wanted:
        assert found == []
        return
    assert wanted in {one.kind for one in found}
    print(f"{mutant}: {found[0].text}")


def test_every_bug_of_abtest_has_its_scenario() -> None:
    """Two more are bugs of the fence, which ingest shares."""
    assert SCENARIOS.keys() > OF_ABTEST
