"""Results that are adjusted by what users did before, beside those of a test that does without."""

import asyncio
import math
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from deploy.jobs.ab_tests import recount_tests
from deploy.jobs.where import Where
from shared.experiments.results import ComparisonResult, ResultsAnswer
from tests.integration.abtest.conftest import World, exact
from tests.integration.abtest.pasts import completed, started_at
from tests.support.events import feedback, operation
from tests.support.past import Before, store

USERS = 500


async def twins(world: World) -> dict[str, UUID]:
    """One test under two tenants, which gives the same users the same variants."""
    found = {}
    for tenant, is_on in (("acme", True), ("globex", False)):
        found[tenant] = await world.begin(
            "twins",
            tenant=tenant,
            salt="the same",
            cuped=is_on,
            auto_pause=False,
            filter={"environment": "twins"},
            metrics=[
                {"name": "response_time_ms", "role": "primary"},
                {"name": "success_rate", "role": "secondary"},
                {"name": "cost_usd", "role": "guardrail", "margin": 0.5, "relative": True},
                {"name": "rating", "role": "secondary"},
            ],
        )
    return found


async def traffic(
    world: World, ids: dict[str, UUID]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Users who differ much, before and after; b is 10 % slower. The same for both tenants."""
    chance = random.Random(5)
    usual = [300 * chance.lognormvariate(0, 0.8) for _ in range(USERS)]
    end, test = await started_at(world, ids["acme"]), await world.live(ids["acme"])
    before = [
        Before(at, f"t-{user}", took, cost_nano=round(took * 1000), environment="twins")
        for user in range(USERS)
        for at in (end - timedelta(hours=1 + n) for n in range(4))
        for took in [usual[user] * chance.lognormvariate(0, 0.2)]
    ]
    for tenant in ids:
        await store(world.dsn, tenant, before)
    operations, said = [], []
    for number in range(3_000_000, 3_000_000 + 2 * USERS):
        user = f"t-{number % USERS}"
        placed = test.place(user, datetime.now(UTC))
        assert placed is not None
        is_b = placed.variant == "b"
        took = usual[number % USERS] * chance.lognormvariate(0, 0.2) * (1.1 if is_b else 1)
        same = {"response_time_ms": took, "cost_usd": took / 1e6, "environment": "twins"}
        rating = chance.randrange(1, 5) + is_b
        for tenant in ids:
            one = number + 500_000 * (tenant == "acme")
            operations.append(operation(one, user_id=user, tenant_id=tenant, **same))
            if number % 4 == 1:
                said.append(feedback(one, rating=rating, tenant_id=tenant))
    return operations, said


async def test_results_are_adjusted_and_surer_than_without(world: World) -> None:
    ids = await twins(world)
    operations, said = await traffic(world, ids)
    # The past is made, and brought to the units, while events come.
    await world.send("operations", operations[:USERS])
    await world.send("feedback", said)
    await asyncio.gather(*(completed(world, one) for one in ids.values()))
    await world.send("operations", operations[USERS:])
    rows = {tenant: await _looked_by(world, test_id) for tenant, test_id in ids.items()}
    for tenant, test_id in ids.items():
        await exact(world, test_id, tenant)
    where = Where(world.dsn, world.settings.redis_url.get_secret_value(), "ai.")
    assert not [one for one in await recount_tests(where) if one.key == "twins" and one.differs]

    ours, plain = (rows[tenant]["response_time_ms"] for tenant in ("acme", "globex"))
    assert plain.cuped is None
    assert ours.cuped is not None
    assert ours.cuped.coverage == 1.0
    assert ours.cuped.variance_reduction > 0.7
    assert (ours.se or 0) < 0.6 * (plain.se or 0)
    assert ours.difference == pytest.approx(plain.difference, abs=3 * (plain.se or 0))
    assert ours.difference == pytest.approx(math.log(1.1), abs=4 * (ours.se or 0))
    cost, cost_plain = (rows[tenant]["cost_usd"] for tenant in ("acme", "globex"))
    assert cost.winsorised_at == cost_plain.winsorised_at
    assert (cost.winsorised_at or 0) > 0
    assert cost.cuped is not None
    assert cost_plain.cuped is None
    assert ours.winsorised_at is None
    sensitivity = rows["acme"]["rating"].sensitivity
    assert sensitivity is not None
    assert sensitivity.p_better > 0.6
    assert ours.sensitivity is None


async def _looked_by(world: World, test_id: UUID) -> dict[str, ComparisonResult]:
    found = await world.looked(test_id)
    answer = ResultsAnswer.model_validate_json(found["body"])
    return {one.metric: one for one in answer.comparisons}
