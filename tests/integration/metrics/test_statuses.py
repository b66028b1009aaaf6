"""From operations to a status: shown in the view, kept behind the fence, once in the history."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from services.metrics import ticker
from services.metrics.domain.status import Part, StatusChange, change_of
from services.metrics.store.health import HealthRecord
from services.metrics.store.statuses import RedisStatuses
from shared import keys
from shared.delivery.plan import Partition
from shared.errors import FencedError
from shared.health import settling
from shared.health.judging import Before, Verdict
from shared.health.settling import Held
from shared.stores import LazyPostgres
from shared.views import Health
from tests.integration.metrics.both import Stores, both
from tests.support.events import operation
from tests.support.system import querying
from tests.support.waiting import eventually

CALM_S = 1.0
NOON = datetime(2027, 1, 15, 12, tzinfo=UTC).timestamp()


class Desk:
    """Sends operations; reads what is shown and what the history says."""

    def __init__(self, stores: Stores, redis: Redis) -> None:
        self.stores, self.redis = stores, redis
        self.sent = 0

    async def send(self, model: str, count: int, *, success: bool) -> None:
        """Operations of one model."""
        first, self.sent = self.sent, self.sent + count
        events = [
            operation(number, model_id=model, success=success, error_type=None, confidence=None)
            for number in range(first, self.sent)
        ]
        await self.stores.send("operations", *events)

    async def shown(self, model: str) -> dict[str, Any]:
        """The status in the model's view."""
        found = await self.redis.hget(keys.view("acme", model), keys.STATUS_FIELD)
        return json.loads(found) if found else {"status": None}

    async def history(self, model: str) -> list[tuple[Any, ...]]:
        """Changes of the model as a whole, oldest first."""
        async with querying(self.stores.dsn) as fetch:
            rows = await fetch(
                "SELECT before, status FROM model_status_changes WHERE model_id = $1 "
                "AND environment IS NULL AND operation_type IS NULL ORDER BY at, change_id",
                model,
            )
        return [tuple(row) for row in rows]

    async def becomes(self, model: str, status: str) -> list[str]:
        """Wait for a status to be shown and written; answers the whole unbroken history."""

        async def so() -> list[tuple[Any, ...]] | None:
            history = await self.history(model)
            view = await self.shown(model)
            # Before anything is settled a model is shown as it stands, without a since.
            is_shown = view["status"] == status and view["since"] is not None
            return history if is_shown and history and history[-1][1] == status else None

        history = await eventually(so, why=f"{model} is {status}", deadline_s=40)
        statuses = [one[1] for one in history]
        assert [one[0] for one in history] == [None, *statuses[:-1]]
        assert all(one != following for one, following in pairwise(statuses))
        return statuses


@pytest.fixture(scope="module")
async def desk(
    kafka_bootstrap: str, topic_prefix: str, database_dsn: str, redis_url: str
) -> AsyncIterator[Desk]:
    """Ingest and metrics in this process; models are looked at five times a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ticker, "JUDGE_EVERY_S", 0.2)
        patch.setattr(settling, "CALM_S", CALM_S)
        async with (
            both(kafka_bootstrap, topic_prefix, database_dsn, redis_url) as stores,
            Redis.from_url(redis_url) as client,
        ):
            yield Desk(stores, client)


async def test_a_model_falls_ill_and_recovers_and_that_is_history(desk: Desk) -> None:
    await desk.send("shaky", 40, success=False)
    # A few may be counted before the others: too few to say anything.
    assert await desk.becomes("shaky", "critical") in (["critical"], ["unknown", "critical"])
    view = await desk.shown("shaky")
    assert "operations failed" in view["reasons"][0]
    assert view["since"] is not None
    assert {one["status"] for one in view["parts"]} == {"critical"}
    line = json.loads(await desk.redis.hget(keys.models("acme"), "shaky") or "")
    assert line["status"] == "critical"
    await desk.send("shaky", 4_000, success=True)
    assert "critical" in await desk.becomes("shaky", "excellent")


async def test_statuses_that_redis_lost_come_back_and_are_not_told_again(desk: Desk) -> None:
    await desk.send("lost", 40, success=False)
    before = await desk.becomes("lost", "critical")
    since = (await desk.shown("lost"))["since"]
    share = Partition(f"{desk.stores.prefix}operations.v1", keys.share_of("acme", "lost", 6))
    await desk.redis.unlink(keys.statuses(*share))

    async def is_back() -> bool:
        return bool(await desk.redis.exists(keys.statuses(*share)))

    await eventually(is_back, why="statuses are back", deadline_s=30)
    assert await desk.becomes("lost", "critical") == before
    assert (await desk.shown("lost"))["since"] == since


async def test_limits_of_a_tenant_reach_its_models(desk: Desk) -> None:
    await desk.send("mild", 4_000, success=True)
    await desk.becomes("mild", "excellent")
    await desk.send("mild", 160, success=False)
    await desk.becomes("mild", "good")
    async with querying(desk.stores.dsn) as fetch:
        await fetch(
            "INSERT INTO health_limits (tenant_id, model_id, body, created_by, updated_by) "
            "VALUES ('acme', 'mild', $1, 'test', 'test')",
            json.dumps({"failures": {"warning": 0.01, "critical": 0.02}}),
        )
    await desk.becomes("mild", "critical")
    assert (await desk.shown("mild"))["limits"]["failures"]["critical"] == 0.02


async def test_the_history_takes_each_change_once(desk: Desk) -> None:
    part = Part("acme", "twice", "production", "chat")
    record = HealthRecord(
        LazyPostgres(SecretStr(desk.stores.dsns["metrics"]), service="metrics").pool, desk.redis
    )

    def change(status: Health, second: int) -> bytes:
        held = Held(status, NOON + second, ("So.",))
        made: StatusChange = change_of(part, held, None, Verdict(status, ["So."], []))
        return made.model_dump_json().encode()

    first = [change(Health.GOOD, 1), change(Health.CRITICAL, 2), change(Health.GOOD, 3)]
    await record.write(first)
    await record.write(first)
    # What Redis' last second took away is seen again a little later.
    await record.write([change(Health.GOOD, 5)])
    async with querying(desk.stores.dsn) as fetch:
        rows = await fetch(
            "SELECT status FROM model_status_changes WHERE model_id = 'twice' ORDER BY at"
        )
    assert [row["status"] for row in rows] == ["good", "critical", "good"]
    # Much later it is no repeat: the part was something else in between, and nobody could tell.
    await record.write([change(Health.GOOD, 3_600)])
    # What can never be written does not hold up what comes with it.
    broken = json.loads(change(Health.CRITICAL, 3_700)) | {"model_id": "nul \x00"}
    await record.write([b"{}", json.dumps(broken).encode(), change(Health.CRITICAL, 3_800)])
    async with querying(desk.stores.dsn) as fetch:
        rows = await fetch(
            "SELECT status FROM model_status_changes WHERE model_id = 'twice' ORDER BY at"
        )
    assert [row["status"] for row in rows] == ["good", "critical", "good", "good", "critical"]
    assert await record.last([part, Part("acme", "nobody")]) == {
        part: Held(Health.CRITICAL, NOON + 3_800, ("So.",))
    }


async def test_who_lost_the_partition_changes_nothing(desk: Desk) -> None:
    share = Partition("fenced.operations.v1", 0)
    await desk.redis.hset(keys.fence(*share), mapping={"epoch": 5})
    statuses = RedisStatuses(desk.redis)
    part, held = (
        Part("acme", "m"),
        Held(Health.GOOD, 1.0, ("So.",), {"failures": Before(Health.GOOD, "5m")}),
    )
    with pytest.raises(FencedError):
        await statuses.change(share, 4, {part: held}, [])
    assert await statuses.load(share) is None
    await statuses.change(share, 5, {part: held}, [])
    assert await statuses.load(share) == {part: held}
    await desk.redis.hset(keys.statuses(*share), '["acme","of another version",null,null]', "[]")
    assert await statuses.load(share) == {part: held}
    await statuses.change(share, 5, {part: None}, [])
    await desk.redis.hdel(keys.statuses(*share), '["acme","of another version",null,null]')
    assert await statuses.load(share) == {}
