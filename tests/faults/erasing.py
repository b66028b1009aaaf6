"""The whole of Assay as real processes, under traffic in which one person is to be erased."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
from aiokafka import AIOKafkaProducer
from pydantic_core import to_json
from redis.asyncio import Redis

from deploy.jobs.keys import create_key
from deploy.jobs.reconcile import Reconciliation, reconcile
from deploy.jobs.where import Where
from deploy.names import SERVICES
from services.abtest.domain.live import EPOCHS
from shared import keys
from shared.experiments.assignment import Epoch, Weight
from shared.privacy.names import Names
from tests.faults.victims import Victim
from tests.support.amounts import amount
from tests.support.events import encoded, feedback, operation
from tests.support.experiments import body
from tests.support.system import AUDIT, PARTITIONS, SECRET, prepared, querying, topics
from tests.support.traces import in_postgres, in_redis
from tests.support.waiting import eventually

ANNA = "anna-maria-of-acme"
TEXT = "what anna said to the machine"
PLACES = ("operations", "feedback", "exposures")
READERS = {
    "ingest": PLACES,
    "abtest": PLACES,
    "feedback": ("feedback",),
}
POINTS = {
    "ingest": ("erasure.begun:1", "erasure.portion:2", "erasure.noted:1", "erasure.receipt:1"),
    "abtest": ("erasure.begun:1", "erasure.noted:1", "erasure.portion:2", "erasure.receipt:1"),
    "feedback": ("erasure.noted:2", "erasure.portion:1", "erasure.receipt:1"),
    "gateway": ("erasure.noted:1", "erasure.receipt:1"),
    "metrics": ("erasure.receipt:1",),
    "notify": ("erasure.begun:1",),
}
RATE = (300, 1_000, 1_000)[amount()]
"""Events a second."""
PORTION_EVERY_S = 0.1
HELD = {
    "ai_model_operations",
    "user_feedback",
    "dead_letters",
    "feedback_analysis",
    "feedback_operations",
    "model_training_data",
    "dataset_rows",
    "ab_events",
    "ab_units",
}
"""Tables in which she must be found before, or nothing would be shown."""


class Play:
    """One run of the system."""

    def __init__(self, kafka: str, prefix: str, dsn: str, redis_url: str, folder: Path) -> None:
        self.kafka, self.prefix, self.dsn, self.redis_url = kafka, prefix, dsn, redis_url
        self.folder = folder
        self.victims: dict[str, Victim] = {}
        self.points = {name: list(points) for name, points in POINTS.items()}
        self.sent: Counter[str] = Counter()
        self.hers = 0
        self.key = ""
        self._number = 0
        self._chance = random.Random(8)
        self._begun = datetime.now(UTC)

    async def open(self) -> None:
        """Make everything, and start the services; each will kill itself at its first point."""
        dsns = await prepared(self.dsn, ("acme", "globex"))
        await topics(self.kafka, self.prefix)
        made = await create_key(self.dsn, tenant="acme", role="admin", name="play", audit=AUDIT)
        self.key = made.key
        for name in SERVICES:
            env = {
                "ASSAY_KAFKA_BOOTSTRAP_SERVERS": self.kafka,
                "ASSAY_TOPIC_PREFIX": self.prefix,
                "ASSAY_REDIS_URL": self.redis_url,
                "ASSAY_POSTGRES_DSN": dsns[name],
                "ASSAY_SECRET_KEY": SECRET,
            }
            command = ("-m", "deploy.cli", "service", name)
            self.victims[name] = Victim(name, env, self.folder, command)
            self.start(name)
        await self.ready()
        await self._begin_test()

    def start(self, name: str) -> None:
        """Start a service, to its next point."""
        points = self.points[name]
        self.victims[name].start(points.pop(0) if points else None)

    async def ready(self) -> None:
        """All are ready, or have been started again and are."""

        async def so() -> bool:
            return all([await one.waits_for() == {} for one in self.victims.values()])

        await eventually(so, why="all are ready", deadline_s=120)

    async def tend(self) -> None:
        """Start again who has killed itself."""
        while True:
            for name, victim in self.victims.items():
                if victim.wanted and not victim.alive:
                    assert victim.killed_itself, victim.tail()
                    victim.deaths += 1
                    self.start(name)
            await asyncio.sleep(0.2)

    async def flow(self) -> None:
        """So many events a second, some of them hers, some bad, some twice."""
        producer = AIOKafkaProducer(bootstrap_servers=self.kafka, acks="all", linger_ms=5)
        async with producer:
            while True:
                started = asyncio.get_running_loop().time()
                await self._send(producer, int(RATE * PORTION_EVERY_S))
                took = asyncio.get_running_loop().time() - started
                await asyncio.sleep(max(0.0, PORTION_EVERY_S - took))

    async def late(self, count: int) -> None:
        """Events of hers that come after she was erased, as old as the first."""
        producer = AIOKafkaProducer(bootstrap_servers=self.kafka, acks="all")
        async with producer:
            for _ in range(count):
                for kind, value in self._hers():
                    await self._put(producer, kind, value)
                await self._put(producer, "operations", self._bad())

    async def _send(self, producer: AIOKafkaProducer, count: int) -> None:
        waits = []
        for _ in range(count // 2):
            self._number += 1
            number = self._number
            events: list[tuple[str, bytes]] = [
                ("operations", encoded(operation(number, session_id=f"s-{number % 97}"))),
                ("feedback", encoded(feedback(number, comment="fine, thank you"))),
            ]
            if number % 25 == 0:
                events = [*self._hers(), *events[:1]]
            if number % 500 == 0:
                events.append(("operations", self._bad()))
            waits += [await self._put(producer, kind, value) for kind, value in events]
        await asyncio.gather(*waits)

    async def _put(self, producer: AIOKafkaProducer, kind: str, value: bytes) -> Any:
        topic = f"{self.prefix}{kind}.v1"
        self.sent[kind] += 1
        return await producer.send(topic, value, key=str(self._number % 64).encode())

    def _hers(self) -> list[tuple[str, bytes]]:
        """What she did and said, what was said of it, and that she was shown something."""
        self._number += 1
        self.hers += 1
        number, at = self._number, (self._begun - timedelta(seconds=self.hers % 60)).isoformat()
        mine = {"occurred_at": at, "user_id": ANNA, "session_id": "session-of-anna"}
        texts = {"input_text": TEXT, "output_text": f"{TEXT} {number}", "error_message": TEXT}
        op = operation(number, **mine, **texts, metadata={"said": TEXT})
        own = feedback(number, occurred_at=at, user_id=ANNA, comment=TEXT, correction=f"{TEXT}!")
        bobs = feedback(
            number, event_id=str(uuid4()), occurred_at=at, user_id="bob", correction=f"not {TEXT}"
        )
        on_another = feedback(
            max(1, number - 30), event_id=str(uuid4()), occurred_at=at, user_id=ANNA, comment=TEXT
        )
        shown = {
            "event_id": str(uuid4()),
            "tenant_id": "acme",
            "occurred_at": at,
            "test_id": str(self.test_id),
            "unit_id": ANNA,
            "variant": "a",
            "context": {"said": TEXT},
        }
        return [
            ("operations", encoded(op)),
            ("feedback", encoded(own)),
            ("feedback", encoded(bobs)),
            ("feedback", encoded(on_another)),
            ("exposures", encoded(shown)),
        ]

    def _bad(self) -> bytes:
        return to_json(
            {
                "tenant_id": "acme",
                "user_id": ANNA,
                "occurred_at": self._begun.isoformat(),
                "input_text": TEXT,
            }
        )[: self._chance.choice((-1, 400))]

    async def _begin_test(self) -> None:
        self.test_id, since = uuid4(), datetime.now(UTC) - timedelta(hours=1)
        weights = (Weight("a", 0.5), Weight("b", 0.5))
        epochs = (Epoch(1, f"{self.test_id}.1", weights, 1.0, ((0, 10_000),), since),)
        async with querying(self.dsn) as rows:
            await rows(
                "INSERT INTO ab_tests"
                " (tenant_id, test_id, key, body, state, epochs, created_by, started_at)"
                " VALUES ('acme', $1, 'play', $2, 'running', $3, 'test', $4)",
                *(self.test_id, to_json(body(key="play")).decode()),
                *(EPOCHS.dump_json(epochs).decode(), since),
            )
            await rows(
                "INSERT INTO ab_test_steps"
                " (tenant_id, event_id, test_id, occurred_at, state, reason, body)"
                " VALUES ('acme', gen_random_uuid(), $1, $2, 'running', '', '{}')",
                *(self.test_id, since),
            )

    @asynccontextmanager
    async def calling(self) -> AsyncIterator[httpx2.AsyncClient]:
        """The gateway, wherever it is now."""
        async with httpx2.AsyncClient(
            base_url=self.victims["gateway"].url,
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=30,
        ) as client:
            yield client

    async def called(self, method: str, path: str, **sent: Any) -> Any:
        """What the gateway answers, once it is there."""

        async def so() -> Any:
            with contextlib.suppress(httpx2.TransportError):
                async with self.calling() as client:
                    answer = await client.request(method, path, **sent)
                    if answer.status_code < 500:
                        return answer
            return None

        return await eventually(so, why=f"{method} {path}", deadline_s=60, every_s=0.2)

    async def forget_cells(self) -> None:
        """Redis forgets where metrics stood: it builds its cells anew."""
        async with Redis.from_url(self.redis_url) as client:
            for kind in ("operations", "feedback"):
                for partition in range(PARTITIONS):
                    await client.unlink(keys.fence(f"{self.prefix}{kind}.v1", partition))

    async def caught_up(self) -> None:
        """Every group has read all that was sent, rows are made, and changes told."""

        async def so() -> bool:
            async with querying(self.dsn) as rows:
                found = await rows(
                    "SELECT consumer_group, topic, sum(next_offset)::bigint FROM consumer_fence"
                    " GROUP BY 1, 2"
                )
                left = await rows(
                    "SELECT (SELECT count(*) FROM feedback_due)"
                    " + (SELECT count(*) FROM erasure_due)"
                )
            at = {(row[0], row[1].removeprefix(self.prefix)): row[2] for row in found}
            return left[0][0] == 0 and all(
                at.get((group, f"{kind}.v1"), 0) == self.sent[kind]
                for group, kinds in READERS.items()
                for kind in kinds
            )

        await eventually(so, why="all have caught up", deadline_s=240, every_s=0.3)

    async def begin_again(self) -> None:
        """Let every group read its topics from their start, as if offsets had been lost."""
        for victim in self.victims.values():
            await asyncio.to_thread(victim.stop)
        async with querying(self.dsn) as rows:
            await rows("UPDATE consumer_fence SET next_offset = 0, epoch = epoch + 1")
        await self.forget_cells()
        for name in SERVICES:
            self.start(name)
        await self.ready()

    async def compared(self) -> Reconciliation:
        """Rows, minutes and live cells, side by side."""
        where = Where(self.dsn, self.redis_url, self.prefix)
        return await reconcile(where, back=timedelta(hours=3), mend=False)

    async def traces(self) -> dict[str, Any]:
        """Where anything of her is, in Postgres and in Redis."""
        names = (ANNA, Names(SECRET.encode()).pseudonym("acme", ANNA), TEXT, "session-of-anna")
        found: dict[str, Any] = await in_postgres(self.dsn, *names)
        found |= {key.decode(): "redis" for key in await in_redis(self.redis_url, *names)}
        return found

    async def counts(self) -> list[Any]:
        """What minutes hold, as sums of all."""
        async with querying(self.dsn) as rows:
            found = await rows(
                "SELECT model_id, sum(n)::bigint, sum(ok)::bigint, sum(rt_us)::bigint,"
                " sum(f_n)::bigint, sum(rating)::bigint FROM operation_rollup_minute"
                " GROUP BY 1 ORDER BY 1"
            )
        return [tuple(row) for row in found]

    def close(self) -> None:
        """End what was started."""
        for victim in self.victims.values():
            victim.kill()
