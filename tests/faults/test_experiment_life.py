"""kill -9 of abtest, at random and at every named point, while tests run under traffic.

Afterwards units and sums are equal, to the last digit, to what is reckoned anew from all that was
sent; `assay rebuild abtest` finds no difference; what tests say is what one more look says, also at
sums that were deleted and counted again; and each step is told once and is another than the last.
"""

import asyncio
import random
from collections import Counter, deque
from pathlib import Path

import httpx2
import pytest

from shared.delivery.faults import VERDICT_POINTS
from tests.faults.books import Finding
from tests.faults.lab.judging import figures, judged, said
from tests.faults.lab.stage import Lab, Place, opened
from tests.faults.victims import Victim
from tests.support.amounts import amount
from tests.support.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.integration, pytest.mark.timeout(3_600)]

POINTS = ("postgres.before_begin", "postgres.in_transaction", "postgres.after_commit")
KILLS = (5, 20, 200)[amount()]
AT_RANDOM = "at random"
MOST_BATCHES = 25
REACHED_WITHIN_S = 120
DAMAGE = (
    "DELETE FROM ab_units",
    "DELETE FROM ab_sums",
    "DELETE FROM ab_sketches",
    "DELETE FROM ab_days",
    "UPDATE ab_arms SET units = 0, multiple = 0, operations = 0, crossovers = 0,"
    " first_at = NULL, last_at = NULL",
)


async def test_killed_anywhere_abtest_says_what_its_events_say(
    kafka_bootstrap: str,
    topic_prefix: str,
    database_dsn: str,
    redis_url: str,
    seed: int,
    tmp_path: Path,
) -> None:
    print(f"seed {seed} (ASSAY_TEST_SEED), logs in {tmp_path}")
    place = Place(kafka_bootstrap, topic_prefix, database_dsn, redis_url, tmp_path)
    async with opened(place, seed) as lab:
        chance = random.Random(seed)
        plan = _plan(chance)
        print(f"plan: {dict(Counter(plan))}")
        left = deque(plan)
        async with lab.flowing():
            await asyncio.gather(*(_lives(lab, victim, left, chance) for victim in lab.victims))
        await lab.settled()
        deaths = sum(victim.deaths for victim in lab.victims)
        assert deaths == KILLS
        assert all(victim.alive for victim in lab.victims)
        assert_right(await judged(lab))
        print(f"{deaths} kills: {await figures(lab)}; 0 differences")
        await _check_results(lab)


def assert_right(found: list[Finding]) -> None:
    """Say all that is wrong."""
    assert not found, "\n".join(f"{one.kind} {one.count}: {one.text}" for one in found)


def _plan(chance: random.Random) -> list[str]:
    """Every point about as often as by chance, in any order."""
    kinds = (*POINTS, AT_RANDOM, *VERDICT_POINTS, AT_RANDOM)
    plan = [kinds[turn % len(kinds)] for turn in range(KILLS)]
    chance.shuffle(plan)
    return plan


async def _lives(lab: Lab, victim: Victim, left: deque[str], chance: random.Random) -> None:
    """One process: started, killed by the next of the list, started again; at last, left alone."""
    while left:
        point = left.popleft()
        if point == AT_RANDOM:
            victim.start()
            await _until_batch(victim, chance.randint(1, MOST_BATCHES))
            victim.kill()
            continue
        times = 1 if point in VERDICT_POINTS else chance.randint(1, 8)
        victim.start(f"{point}:{times}")
        await _until_dead(lab, victim, point)
        assert victim.killed_itself, victim.tail()
        victim.deaths += 1
    victim.start()


async def _until_batch(victim: Victim, number: int) -> None:
    """Somewhere in its work, not while it starts."""

    async def so() -> bool:
        try:
            return await victim.number("assay_batch_seconds_count") >= number
        except httpx2.TransportError:
            return False  # it is starting

    await eventually(so, why=f"batch {number}", deadline_s=REACHED_WITHIN_S)


async def _until_dead(lab: Lab, victim: Victim, point: str) -> None:
    """A verdict is told by whoever looks first: there must be one until it was this process."""
    if point in VERDICT_POINTS:

        async def told(test_id: str) -> bool:
            steps = "SELECT FROM ab_test_steps WHERE test_id = $1::text::uuid AND actor IS NULL"
            return not victim.alive or bool(await lab.sql(steps, test_id))

        while victim.alive:
            test_id = (await lab.begin(f"test-{len(lab.trials)}")).test_id
            why = f"{point} is reached, or {test_id} is told of by another"
            await eventually(lambda: told(test_id), why=why, deadline_s=REACHED_WITHIN_S)  # noqa: B023 - awaited here
    await eventually(
        lambda: not victim.alive, why=f"{point} is reached", deadline_s=REACHED_WITHIN_S
    )


async def _check_results(lab: Lab) -> None:
    """By rebuild and one more look, at what is stored and at what was deleted and made anew."""
    first = await lab.results()
    assert_right(said(lab, first))
    code, lines = await lab.rebuild()
    assert (code, sum(one["units_differing"] + one["arms_differing"] for one in lines)) == (0, 0)
    assert len(lines) == len(lab.trials)
    assert await lab.looked_anew() == first
    for statement in DAMAGE:
        await lab.sql(statement)
    code, lines = await lab.rebuild()
    assert code == 1
    assert all(one["units_differing"] == one["units"] for one in lines)
    assert await lab.looked_anew() == first
    assert_right(await judged(lab))
    verdicts = Counter(one["verdict"] for one in first)
    print(f"results of {len(first)} tests equal after rebuild and a new look: {dict(verdicts)}")
