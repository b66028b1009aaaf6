"""abtest as real processes, a gateway that tells of it, tests that run, and traffic about them."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import asyncpg
import httpx2
from aiokafka import AIOKafkaProducer

from deploy.jobs.keys import create_key
from shared.pseudonym import pseudonym
from tests.faults.lab.running import keep
from tests.faults.lab.traffic import Traffic
from tests.faults.lab.trial import BUCKETS, Epoch, Span, Trial
from tests.faults.victims import Victim
from tests.support.system import AUDIT, SECRET, prepared, topics
from tests.support.waiting import eventually

PORTION, EVERY_S = 20, 0.1
MODELS = (("a", "model-0"), ("b", "model-1"), ("c", "model-2"))
HALVES = (("a", 5_000), ("b", 5_000))
PSEUDONYM = partial(pseudonym, SECRET.encode())


class Place(NamedTuple):
    """Where a lab stands: servers, topics, logs."""

    kafka: str
    prefix: str
    dsn: str
    redis_url: str
    logs: Path


class Lab:
    """Everything that a play needs."""

    def __init__(self, place: Place, dsns: dict[str, str], seed: int, mutant: str) -> None:
        self.place = place
        self.dsn = place.dsn
        self.traffic = Traffic(place.prefix, seed)
        self.trials: list[Trial] = []
        self.key = ""
        self._mutant, self._dsns = mutant, dsns
        self._turn = asyncio.Lock()
        self.gateway = self._process("gateway", "gateway")
        self.victims = [self._process("abtest", name) for name in ("one", "two")]

    def _process(self, service: str, folder: str) -> Victim:
        env = {
            "ASSAY_KAFKA_BOOTSTRAP_SERVERS": self.place.kafka,
            "ASSAY_TOPIC_PREFIX": self.place.prefix,
            "ASSAY_REDIS_URL": self.place.redis_url,
            "ASSAY_POSTGRES_DSN": self._dsns[service],
            "ASSAY_SECRET_KEY": SECRET,
            "ASSAY_ABTEST_MAX_RECORDS": "200",
        }
        logs = self.place.logs / folder
        logs.mkdir()
        mutant = ("-m", "tests.faults.mutants", self._mutant, service)
        return Victim(service, env, logs, mutant if self._mutant and service == "abtest" else ())

    async def begin(self, key: str) -> Trial:
        """A test of two halves that runs from now on; no event is made meanwhile."""
        async with self._turn:
            test_id, now = str(uuid4()), datetime.now(UTC)
            unit = ("user_id", "session_id")[len(self.trials) % 2]
            epochs = (Epoch(1, f"{test_id}.1", HALVES, BUCKETS, now),)
            trial = Trial("acme", test_id, key, unit, None, MODELS[:2], epochs, (Span(now),))
            await self._keep(trial)
            return trial

    async def begin_with_a_past(self, key: str) -> Trial:
        """One that began long ago, was paused for a while, and went on without one variant."""
        test_id, now = str(uuid4()), datetime.now(UTC)
        start, pause, again, change = (now - timedelta(minutes=ago) for ago in (35, 25, 23, 15))
        thirds = (("a", 4_000), ("b", 3_000), ("c", 3_000))
        epochs = (
            Epoch(1, f"{test_id}.1", thirds, 6_000, start),
            Epoch(2, f"{test_id}.2", (*HALVES, ("c", 0)), 9_000, change),
        )
        spans = (Span(start, pause), Span(again))
        trial = Trial("acme", test_id, key, "user_id", "chat", MODELS, epochs, spans)
        await self._keep(trial)
        return trial

    async def _keep(self, trial: Trial) -> None:
        connection = await asyncpg.connect(self.dsn)
        async with connection.transaction():
            await keep(connection, trial)
        await connection.close()
        self.trials.append(trial)

    async def sql(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        """Ask or tell Postgres as its superuser."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return list(await connection.fetch(statement, *values))
        finally:
            await connection.close()

    async def send(self, portions: int) -> None:
        """So many portions, each acknowledged before the next."""
        async with _producer(self.place.kafka) as producer:
            for _ in range(portions):
                await self._send(producer)

    @asynccontextmanager
    async def flowing(self) -> AsyncIterator[None]:
        """Traffic at a steady pace."""

        async def flow() -> None:
            async with _producer(self.place.kafka) as producer:
                while True:
                    await self._send(producer)
                    await asyncio.sleep(EVERY_S)  # the pace of what is sent

        flows = asyncio.ensure_future(flow())
        try:
            yield
        finally:
            flows.cancel()
            with suppress(asyncio.CancelledError):
                await flows

    async def _send(self, producer: AIOKafkaProducer) -> None:
        async with self._turn:
            made = self.traffic.portion(PORTION, self.trials)
            acks = [await producer.send(t, v, key=k) for t, k, v, _ in made]
            # Not left half done when the flow is ended: what is sent is what is reckoned with.
            await asyncio.shield(asyncio.gather(*acks))

    async def settled(self) -> None:
        """All is counted and looked at as it is by now, and every step is told."""

        async def so() -> str:
            rows = await self.sql(WAITS)
            left = {**rows[0], "records": self.traffic.records - rows[0]["records"]}
            return "" if any(left.values()) else "so"

        await eventually(so, why="all is counted, looked at and told", deadline_s=120, every_s=0.3)

    async def results(self) -> Sequence[Any]:
        """What the gateway answers of each test."""
        async with httpx2.AsyncClient(base_url=self.gateway.url) as client:
            headers = {"Authorization": f"Bearer {self.key}"}
            asked = [f"/ai/ab-tests/{one.test_id}/results" for one in self.trials]
            answers = [await client.get(one, headers=headers) for one in asked]
        return [one.raise_for_status().json() for one in answers]

    async def looked_anew(self) -> Sequence[Any]:
        """What each test says after one more look at what is stored."""
        await self.sql("UPDATE ab_tests SET updated_at = clock_timestamp()")
        await self.settled()
        return await self.results()

    async def rebuild(self) -> tuple[int, list[Any]]:
        """`assay rebuild abtest`: its exit code, and what it says of each test."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "deploy.cli", "rebuild", "abtest", "--json"),
            env={
                **os.environ,
                "ASSAY_POSTGRES_DSN": self.dsn,
                "ASSAY_REDIS_URL": self.place.redis_url,
                "ASSAY_TOPIC_PREFIX": self.place.prefix,
                "ASSAY_SECRET_KEY": SECRET,
            },
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate()
        return process.returncode or 0, json.loads(output)


WAITS = """
    SELECT (SELECT coalesce(sum(next_offset), 0)::bigint FROM consumer_fence
             WHERE consumer_group = 'abtest') AS records,
           (SELECT count(*) FROM ab_waiting AS w JOIN ab_events AS e
             USING (tenant_id, operation_id) WHERE e.kind = 'o') AS joinable,
           (SELECT count(*) FROM ab_tests AS t LEFT JOIN ab_results AS r USING (tenant_id, test_id)
             WHERE r.memory IS NULL
                OR (r.memory -> 'seen' ->> 'changed_at')::timestamptz <> t.updated_at
                OR (r.memory -> 'seen' ->> 'version')::bigint <>
                   (SELECT coalesce(sum(version), 0) FROM ab_arms AS a
                     WHERE a.test_id = t.test_id)) AS to_look_at,
           (SELECT count(*) FROM ab_test_steps WHERE published_at IS NULL) AS untold
"""


@asynccontextmanager
async def opened(place: Place, seed: int, mutant: str = "") -> AsyncIterator[Lab]:
    """Topics, schema, roles, a gateway, and one test with a past; abtest is not started yet."""
    dsns = await prepared(place.dsn)
    await topics(place.kafka, place.prefix)
    lab = Lab(place, dsns, seed, mutant)
    lab.key = (
        await create_key(place.dsn, tenant="acme", role="admin", name="lab", audit=AUDIT)
    ).key
    await lab.begin_with_a_past("the-first")
    lab.gateway.start()
    try:
        yield lab
    finally:
        for victim in (lab.gateway, *lab.victims):
            victim.wake()
            victim.kill()


@asynccontextmanager
async def _producer(kafka: str) -> AsyncIterator[AIOKafkaProducer]:
    made = AIOKafkaProducer(
        bootstrap_servers=kafka, acks="all", enable_idempotence=True, linger_ms=5
    )
    async with made as producer:
        yield producer
