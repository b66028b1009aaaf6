"""From operations to alerts: told on the topic, stored by ingest, once each, also after a crash."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer
from redis.asyncio import Redis

from services.metrics import ticker
from shared import keys
from shared.events.alert import AlertEvent
from tests.integration.metrics.both import Stores, both
from tests.support.events import operation
from tests.support.system import querying
from tests.support.waiting import eventually

LOOK_EVERY_S = 0.2
RULE = {"name": "errors", "metric": "error_rate", "operator": ">", "warning": 0.2}


class Desk:
    """Sends operations, makes rules, and reads what was told and what was stored."""

    def __init__(self, stores: Stores, bootstrap: str, prefix: str, dsn: str, redis: Redis) -> None:
        self.stores, self.bootstrap, self.prefix, self.dsn = stores, bootstrap, prefix, dsn
        self.redis = redis
        self.sent = 0

    async def send(self, model: str, count: int, *, success: bool) -> None:
        """Operations of one model, as many as asked."""
        first, self.sent = self.sent, self.sent + count
        events = [
            operation(number, model_id=model, success=success, error_type=None)
            for number in range(first, self.sent)
        ]
        await self.stores.send("operations", *events)

    async def execute(self, statement: str, *values: Any) -> None:
        connection = await asyncpg.connect(self.dsn)
        await connection.execute(statement, *values)
        await connection.close()

    async def rule(self, number: int, **fields: Any) -> None:
        """A tenant's new rule."""
        await self.execute(
            "INSERT INTO alert_rules (tenant_id, rule_id, body, created_by) "
            "VALUES ('acme', $1, $2, 'test')",
            UUID(int=number),
            json.dumps(RULE | {"name": f"rule {number}"} | fields),
        )

    async def told(self) -> list[AlertEvent]:
        """Everything on the topic, from its beginning, the first of each id."""
        consumer = AIOKafkaConsumer(
            f"{self.prefix}alerts.v1",
            bootstrap_servers=self.bootstrap,
            auto_offset_reset="earliest",
        )
        found: dict[UUID, AlertEvent] = {}
        async with consumer:
            ends = await consumer.end_offsets(consumer.assignment())
            for place, end in ends.items():
                while await consumer.position(place) < end:
                    for record in (await consumer.getmany(place, timeout_ms=500)).get(place, ()):
                        event = AlertEvent.model_validate_json(record.value)
                        found.setdefault(event.event_id, event)
        return sorted(found.values(), key=lambda one: (one.started_at, one.step))

    async def states(self, model: str) -> list[str]:
        return [one.state for one in await self.told() if one.model_id == model]

    async def stored(self, model: str) -> list[Any]:
        """Steps in Postgres, and the alert's own row."""
        async with querying(self.dsn) as fetch:
            steps = await fetch(
                "SELECT s.state FROM performance_alert_steps s JOIN performance_alerts a "
                "USING (tenant_id, alert_id) WHERE model_id = $1 ORDER BY started_at, s.step",
                model,
            )
            rows = await fetch(
                "SELECT state, severity, sample, resolved_at FROM performance_alerts "
                "WHERE model_id = $1 ORDER BY started_at",
                model,
            )
        return [[row[0] for row in steps], [tuple(row)[:3] for row in rows]]


@pytest.fixture(scope="module")
async def desk(
    kafka_bootstrap: str, topic_prefix: str, database_dsn: str, redis_url: str
) -> AsyncIterator[Desk]:
    """Ingest and metrics in this process; rules are looked at five times a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ticker, "JUDGE_EVERY_S", LOOK_EVERY_S)
        async with (
            both(kafka_bootstrap, topic_prefix, database_dsn, redis_url) as stores,
            Redis.from_url(redis_url) as client,
        ):
            yield Desk(stores, kafka_bootstrap, topic_prefix, database_dsn, client)


async def test_a_bad_model_is_told_of_once_and_its_recovery_too(desk: Desk) -> None:
    await desk.rule(1, filter={"model_id": "shaky"})
    await desk.send("shaky", 40, success=False)
    await eventually(
        lambda: _are(desk, "shaky", ["pending", "firing"]), why="it fires", deadline_s=30
    )
    firing = (await desk.told())[-1]
    assert (firing.severity, firing.sample, firing.value) == ("warning", 40, 1.0)
    assert firing.labels == {"model_id": "shaky", "environment": "production"}
    assert "surely above 0.2" in firing.reason
    await desk.send("shaky", 1_000, success=True)
    told = ["pending", "firing", "resolved"]
    await eventually(lambda: _are(desk, "shaky", told), why="it ends", deadline_s=30)

    async def stored() -> bool:
        return await desk.stored("shaky") == [told, [("resolved", "warning", 1_040)]]

    await eventually(stored, why="ingest has every step", deadline_s=30)


async def test_what_people_do_is_a_step_with_their_name(desk: Desk) -> None:
    await desk.rule(2, filter={"model_id": "known"})
    await desk.send("known", 40, success=False)
    await eventually(lambda: _are(desk, "known", ["pending", "firing"]), why="fires", deadline_s=30)
    alert_id = next(one.alert_id for one in await desk.told() if one.model_id == "known")
    await desk.execute(
        "INSERT INTO alert_actions (tenant_id, action_id, alert_id, action, until, note, actor) "
        "VALUES ('acme', $1, $2, 'acknowledge', now() + interval '1 h', 'on it', 'ann')",
        UUID(int=77),
        alert_id,
    )
    wanted = ["pending", "firing", "acknowledged"]
    await eventually(lambda: _are(desk, "known", wanted), why="taken", deadline_s=30)
    taken = [one for one in await desk.told() if one.model_id == "known"][-1]
    assert (taken.actor, taken.reason, taken.sample) == ("ann", "on it", 40)
    await desk.execute("DELETE FROM alert_rules WHERE rule_id = $1", UUID(int=2))
    await eventually(lambda: _are(desk, "known", [*wanted, "resolved"]), why="ends", deadline_s=30)


async def test_alerts_that_redis_lost_come_back_and_go_on(desk: Desk) -> None:
    await desk.rule(3, filter={"model_id": "lost"})
    await desk.send("lost", 40, success=False)
    told = ["pending", "firing"]
    await eventually(lambda: _are(desk, "lost", told), why="it fires", deadline_s=30)

    async def stored() -> bool:
        return (await desk.stored("lost"))[0] == told

    await eventually(stored, why="ingest has it", deadline_s=30)
    share = keys.share_of("acme", "lost", 6)
    await desk.redis.unlink(keys.alerts(f"{desk.prefix}operations.v1", share))
    await desk.send("lost", 1_000, success=True)
    await eventually(
        lambda: _are(desk, "lost", [*told, "resolved"]), why="the same alert ends", deadline_s=30
    )
    assert len({one.alert_id for one in await desk.told() if one.model_id == "lost"}) == 1


async def test_nobody_else_s_rule_is_applied(desk: Desk) -> None:
    await desk.rule(4, name="others", filter={"model_id": "theirs"})
    first, desk.sent = desk.sent, desk.sent + 40
    events = [
        operation(number, tenant_id="globex", model_id="theirs", success=False)
        for number in range(first, desk.sent)
    ]
    await desk.stores.send("operations", *events)
    await desk.send("mine", 40, success=False)
    await desk.rule(5, name="mine", filter={"model_id": "mine"})
    await eventually(lambda: _are(desk, "mine", ["pending", "firing"]), why="fires", deadline_s=30)
    await asyncio.sleep(3 * LOOK_EVERY_S)
    assert await desk.states("theirs") == []


async def _are(desk: Desk, model: str, wanted: list[str]) -> bool:
    return await desk.states(model) == wanted
