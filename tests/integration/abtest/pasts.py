"""What was before tests, for tests of it."""

import random
from datetime import datetime, timedelta
from uuid import UUID

from tests.integration.abtest.conftest import World
from tests.support.past import Before
from tests.support.waiting import eventually

PRODUCTION = {"filter": {"environment": "production"}}


async def started_at(world: World, test_id: UUID) -> datetime:
    """When a test was started."""
    rows = await world.sql("SELECT started_at FROM ab_tests WHERE test_id = $1", test_id)
    at: datetime = rows[0]["started_at"]
    return at


async def is_complete(world: World, test_id: UUID) -> bool:
    """Whether all its units count by their past."""
    rows = await world.sql(
        "SELECT FROM ab_past_scans WHERE test_id = $1 AND completed_at IS NOT NULL", test_id
    )
    return bool(rows)


async def completed(world: World, test_id: UUID) -> None:
    """Wait until all units count by their past."""
    await eventually(lambda: is_complete(world, test_id), why="the past is complete", deadline_s=60)


def operations_before(end: datetime, count: int, users: int, seed: int) -> list[Before]:
    """Operations of twenty days, some of them in another environment, some with a rating."""
    chance = random.Random(seed)
    made = []
    for _ in range(count):
        at = end - timedelta(days=20) * chance.random()
        made.append(
            Before(
                at,
                f"u-{chance.randrange(users)}",
                ms=chance.lognormvariate(6, 2),
                success=chance.random() < 0.9,
                tokens=chance.choice([None, 0, 7, 900]),
                cost_nano=chance.choice([None, 0, 12_345, 2_000_000]),
                confidence=chance.choice([None, 0.25, 0.9]),
                environment=chance.choice(["production", "production", "staging"]),
                rating=chance.choice([None, None, 1, 5]),
                rated_at=at + timedelta(days=chance.choice([0, 0.5, 3])),
            )
        )
    first = end - timedelta(days=14)
    return [
        *made,
        *(Before(at, "u-edge", tokens=1) for at in (end, first, first - timedelta(microseconds=1))),
    ]
