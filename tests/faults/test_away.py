"""Kafka, Postgres and Redis away, at the start or later: services wait, say so, lose nothing."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from redis.asyncio import Redis
from sqlalchemy.engine import make_url

from deploy.jobs.roles import ROLE_OF
from deploy.local.kafka_jars import KafkaJars
from shared import keys
from shared import producer as producer_room
from shared.kafka_settings import plain
from shared.producer import Message, Producer, ProducerAwayError
from tests.faults.victims import Victim
from tests.support.events import encoded, operation
from tests.support.kafka import need_own_kafka
from tests.support.stores import PostgresHere, RedisHere
from tests.support.system import PARTITIONS, PASSWORD, SECRET, prepared, publish, topics
from tests.support.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.integration, pytest.mark.timeout(300)]

PREFIX = "away."
TOPIC = f"{PREFIX}operations.v1"
ROUND = 400


class Parts:
    """Servers of this module's own: named ones must not be stopped."""

    def __init__(self, folder: Path) -> None:
        self.kafka = KafkaJars(folder / "kafka")
        self.postgres = PostgresHere(folder)
        self.redis = RedisHere(folder)
        self.sent = 0

    def dsn_of(self, service: str) -> str:
        """A service's DSN, known before there is a server."""
        url = make_url(self.postgres.dsn).set(username=ROLE_OF[service], password=PASSWORD)
        return url.render_as_string(hide_password=False)

    async def send(self) -> None:
        """Publish one more round."""
        events = [operation(self.sent + number) for number in range(ROUND)]
        self.sent += ROUND
        records = [(TOPIC, one["operation_id"].encode(), encoded(one), ()) for one in events]
        await publish(self.kafka.bootstrap, records)

    async def stored(self) -> tuple[int, int]:
        """Rows, and rows with an id of their own."""
        connection = await asyncpg.connect(self.postgres.dsn)
        try:
            found = await connection.fetchrow(
                "SELECT count(*), count(DISTINCT event_id) FROM ai_model_operations"
            )
        finally:
            await connection.close()
        return found[0], found[1]

    async def counted(self) -> tuple[int, int]:
        """Operations in Redis' minutes, and in its hours, of the generations in use."""
        totals = dict.fromkeys("mh", 0)
        async with Redis.from_url(self.redis.url) as client:
            for partition in range(PARTITIONS):
                generation = int(await client.hget(keys.fence(TOPIC, partition), "gen") or 0)
                start = f"{keys.tag(TOPIC, partition)}:g{generation}:"
                async for name in client.scan_iter(match=f"{start}[mh]:acme:*", count=1_000):
                    resolution = keys.split_member(name.decode().removeprefix(start))[0]
                    for field, value in (await client.hgetall(name)).items():
                        if keys.split_field(field.decode())[1] == "n":
                            totals[resolution] += int(value)
        return totals["m"], totals["h"]


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    """Three servers, none of them running yet."""
    need_own_kafka()
    folder = tmp_path_factory.mktemp("parts")
    folder.chmod(0o755)
    made = Parts(folder)
    yield made
    made.kafka.stop()
    made.redis.stop()
    made.postgres.discard()


@pytest.fixture(scope="module")
async def victims(
    parts: Parts, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, Victim]]:
    """Ingest and metrics, started before anything that they need."""
    logs = tmp_path_factory.mktemp("logs")
    made = {}
    for name in ("ingest", "metrics"):
        env = {
            "ASSAY_KAFKA_BOOTSTRAP_SERVERS": parts.kafka.bootstrap,
            "ASSAY_TOPIC_PREFIX": PREFIX,
            "ASSAY_REDIS_URL": parts.redis.url,
            "ASSAY_POSTGRES_DSN": parts.dsn_of(name),
            "ASSAY_SECRET_KEY": SECRET,
        }
        made[name] = Victim(name, env, logs)
        made[name].start()
    yield made
    for victim in made.values():
        victim.stop()


async def says(victim: Victim, *, what: str) -> None:
    """Wait until a service says that it waits for `what`."""

    async def said() -> bool:
        return any(what in name for name in await victim.waits_for() or ())

    await eventually(said, why=f"{victim.name} waits for {what}: {victim.tail()}", deadline_s=60)


async def all_is_well(parts: Parts, victims: dict[str, Victim]) -> None:
    """Both are ready, and both stores hold what was sent, once."""

    async def well() -> Any:
        states = [await victim.waits_for() for victim in victims.values()]
        held = (*await parts.stored(), *await parts.counted())
        return (states == [{}, {}] and set(held) == {parts.sent}) or print(states, held)

    await eventually(well, why=f"everything is stored and counted ({parts.sent})", deadline_s=90)
    assert all(victim.alive for victim in victims.values())


async def test_services_may_start_before_all_they_need(
    parts: Parts, victims: dict[str, Victim]
) -> None:
    await says(victims["ingest"], what="Postgres")
    await says(victims["metrics"], what="Redis")
    await asyncio.to_thread(parts.redis.start)
    await says(victims["metrics"], what="Kafka")
    await asyncio.to_thread(parts.postgres.start)
    await says(victims["ingest"], what="Postgres")  # there is no such role yet
    await prepared(parts.postgres.dsn)
    await says(victims["ingest"], what="Kafka")
    await asyncio.to_thread(parts.kafka.start)
    await topics(parts.kafka.bootstrap, PREFIX)
    await parts.send()
    await all_is_well(parts, victims)


async def test_postgres_goes_and_comes(parts: Parts, victims: dict[str, Victim]) -> None:
    parts.postgres.kill()
    await parts.send()

    async def live() -> bool:
        return await parts.counted() == (parts.sent, parts.sent)

    await eventually(live, why="metrics does not need Postgres", deadline_s=60)
    await says(victims["ingest"], what="postgres")
    await asyncio.to_thread(parts.postgres.start)
    await all_is_well(parts, victims)


async def test_redis_goes_and_comes(parts: Parts, victims: dict[str, Victim]) -> None:
    parts.redis.kill()
    await parts.send()

    async def kept() -> bool:
        return await parts.stored() == (parts.sent, parts.sent)

    await eventually(kept, why="ingest does not need Redis", deadline_s=60)
    await says(victims["metrics"], what="redis")
    await asyncio.to_thread(parts.redis.start)
    await all_is_well(parts, victims)


async def test_kafka_goes_and_comes(parts: Parts, victims: dict[str, Victim]) -> None:
    parts.kafka.kill()
    await says(victims["ingest"], what="kafka")
    await says(victims["metrics"], what="kafka")
    await asyncio.to_thread(parts.kafka.start)
    await parts.send()
    await all_is_well(parts, victims)


async def test_a_broker_that_hangs_holds_nobody_up(
    parts: Parts, victims: dict[str, Victim], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(producer_room, "ACK_TIMEOUT_S", 1)
    monkeypatch.setattr(producer_room, "START_TIMEOUT_S", 1)
    monkeypatch.setattr(producer_room, "START_AGAIN_AFTER_S", 0)
    event = operation(parts.sent)
    message = Message(TOPIC, event["operation_id"].encode(), encoded(event), [])
    producer = Producer(plain(parts.kafka.bootstrap), idempotence=True)
    await producer.ready()
    assert parts.kafka.child is not None
    parts.kafka.child.process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(ProducerAwayError, match="not acknowledged in time"):
            await producer.publish([message])
        with pytest.raises(ProducerAwayError, match="does not answer"):
            await producer.publish([message])
    finally:
        parts.kafka.child.process.send_signal(signal.SIGCONT)

    async def published() -> bool:
        with contextlib.suppress(ProducerAwayError):
            await producer.publish([message])
            return True
        return False

    # The attempts may all have arrived: one identity, one event.
    await eventually(published, why="a producer made anew works")
    await producer.close()
    parts.sent += 1
    await all_is_well(parts, victims)


async def test_a_service_that_waits_ends_when_told_to(
    parts: Parts, victims: dict[str, Victim]
) -> None:
    parts.redis.stop()
    victims["metrics"].stop()
    victims["metrics"].start()
    await says(victims["metrics"], what="Redis")
    assert victims["metrics"].stop() == 0
