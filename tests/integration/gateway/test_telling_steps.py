"""The relay of steps against a real broker and a real Postgres, with failures and rivals."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer
from pydantic import SecretStr
from pydantic_core import to_json

from services.gateway.publisher import Publisher
from services.gateway.service.telling_steps import StepTeller
from services.gateway.store.experiments import PostgresExperiments
from services.gateway.store.sessions import Sessions
from shared.kafka_settings import plain
from shared.producer import Producer
from shared.stores import LazyPostgres
from shared.topics import Topic, topic_name
from tests.integration.gateway.conftest import NOWHERE
from tests.support.experiments import body
from tests.support.system import prepared, topics
from tests.support.waiting import eventually

TOO_LARGE = "x" * (1024 * 1024 + 1)


class Killed(BaseException):
    """A process that ends between the broker's answer and the mark."""


class Stage(NamedTuple):
    """Stores, a broker, and who writes steps."""

    connection: asyncpg.Connection
    gateway_dsn: str
    bootstrap: str
    prefix: str

    @asynccontextmanager
    async def teller(
        self, bootstrap: str = "", then: Callable[[], None] = lambda: None
    ) -> AsyncIterator[StepTeller]:
        """A gateway's; `then` follows each publication."""
        postgres = LazyPostgres(SecretStr(self.gateway_dsn), service="gateway")
        producer = Producer(plain(bootstrap or self.bootstrap), idempotence=True)
        publisher = Publisher(producer, None)

        async def publish(*sent: Any) -> None:
            await publisher.publish(*sent)
            then()

        yield StepTeller(PostgresExperiments(Sessions(postgres)), publish, self.prefix)
        await producer.close()
        await postgres.close()

    async def step(self, tenant_id: str, filler: str = "") -> str:
        """Somebody did something; answers the event's id."""
        test_id, event_id, now = uuid4(), uuid4(), datetime.now(UTC)
        await self.connection.execute(
            "INSERT INTO ab_tests (tenant_id, test_id, key, body, state, epochs, created_by)"
            " VALUES ($1, $2, $3, $4, 'draft', '[]', 'key:one')",
            *(tenant_id, test_id, str(test_id), to_json(body()).decode()),
        )
        said = {"event_id": str(event_id), "filler": filler}
        await self.connection.execute(
            "INSERT INTO ab_test_steps (tenant_id, event_id, test_id, occurred_at, state, reason,"
            " body) VALUES ($1, $2, $3, $4, 'draft', '', $5)",
            *(tenant_id, event_id, test_id, now, to_json(said).decode()),
        )
        return str(event_id)

    async def untold(self) -> set[str]:
        rows = await self.connection.fetch(
            "SELECT event_id FROM ab_test_steps WHERE published_at IS NULL"
        )
        return {str(row["event_id"]) for row in rows}

    async def heard(self, wanted: set[str]) -> Counter[tuple[str, bytes]]:
        """All records of the topic by event and bytes, once each wanted one is among them."""
        found: Counter[tuple[str, bytes]] = Counter()
        topic = topic_name(Topic.EXPERIMENTS, self.prefix)
        consumer = AIOKafkaConsumer(
            topic, bootstrap_servers=self.bootstrap, auto_offset_reset="earliest"
        )

        async def all_there() -> bool:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for one in records:
                    found[json.loads(one.value)["event_id"], one.value] += 1
            return wanted <= {event_id for event_id, _ in found}

        async with consumer:
            await eventually(all_there, why="all steps are told")
        return found


@pytest.fixture(scope="module")
async def stage(kafka_bootstrap: str, topic_prefix: str, database_dsn: str) -> AsyncIterator[Stage]:
    dsns = await prepared(database_dsn)
    await topics(kafka_bootstrap, topic_prefix)
    connection = await asyncpg.connect(database_dsn)
    yield Stage(connection, dsns["gateway"], kafka_bootstrap, topic_prefix)
    await connection.close()


async def test_a_step_too_large_for_the_broker_holds_up_no_other(stage: Stage) -> None:
    before = await stage.step("acme")
    poison = await stage.step("acme", TOO_LARGE)
    others = {before, await stage.step("acme"), await stage.step("globex")}
    async with stage.teller() as teller:
        await teller.tell()
        assert await stage.untold() == {poison}
        heard = await stage.heard(others)
        assert poison not in {event_id for event_id, _ in heard}
        row = await stage.connection.fetchrow(
            "SELECT refusal FROM ab_test_steps WHERE event_id = $1", UUID(poison)
        )
        assert "MessageSizeTooLarge" in row["refusal"]
        await stage.connection.execute(
            "UPDATE ab_test_steps SET refusal = NULL, body = $2 WHERE event_id = $1",
            *(UUID(poison), to_json({"event_id": poison}).decode()),
        )
        await teller.tell()
    assert await stage.heard({poison})
    assert await stage.untold() == set()


async def test_while_the_broker_is_away_steps_wait_and_then_go_out(stage: Stage) -> None:
    steps = {await stage.step(tenant) for tenant in ("acme", "globex")}
    async with stage.teller(NOWHERE) as teller:
        await teller.tell()
    assert await stage.untold() == steps
    async with stage.teller() as teller:
        await teller.tell()
    assert await stage.untold() == set()
    heard = await stage.heard(steps)
    assert [heard[one] for one in heard if one[0] in steps] == [1, 1]


async def test_who_is_killed_before_the_mark_makes_the_next_tell_the_same_again(
    stage: Stage,
) -> None:
    step = await stage.step("acme")

    def kill() -> None:
        raise Killed

    async with stage.teller(then=kill) as teller:
        with pytest.raises(Killed):
            await teller.tell()
    assert await stage.untold() == {step}
    async with stage.teller() as teller:
        await teller.tell()
    heard = await stage.heard({step})
    same = {one: times for one, times in heard.items() if one[0] == step}
    assert list(same.values()) == [2], "the same bytes, so one event to whoever reads it"


async def test_two_gateways_at_once_tell_each_step_once(stage: Stage) -> None:
    steps = {await stage.step(tenant) for tenant in ("acme", "globex") * 10}
    until = datetime.now(UTC) + timedelta(seconds=30)
    async with stage.teller() as one, stage.teller() as other:
        while await stage.untold():
            assert datetime.now(UTC) < until
            await asyncio.gather(one.tell(), other.tell())
    heard = await stage.heard(steps)
    assert [heard[one] for one in heard if one[0] in steps] == [1] * len(steps)
