"""The whole of Assay as real processes, under traffic, read by two tenants, and looked after."""

import asyncio
import contextlib
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
from aiokafka.errors import KafkaError

from deploy.jobs.keys import create_key
from shared import keys
from tests.faults.auditor import Auditor
from tests.faults.journal import Journal
from tests.faults.reader import Reader
from tests.faults.sender import ANSWER_WITHIN_S, Poster, Sender
from tests.faults.servers import SERVICES
from tests.faults.traffic import TENANTS, Maker
from tests.faults.victims import Victim
from tests.support.system import AUDIT, SECRET, prepared, topics
from tests.support.waiting import eventually

PORTION_EVERY_S = 0.1
POST_EVERY_S = 0.3
POSTED = 5
CAUGHT_UP_WITHIN_S = 150


class Stage:
    """One run of the system: its own topics, database and journal."""

    def __init__(self, servers: Any, folder: Path, seed: int, rate: int) -> None:
        self.servers = servers
        self.folder = folder
        self.chance = random.Random(seed)
        self.rate = rate
        self.prefix = f"f{uuid4().hex[:8]}."
        self.dsn = servers.postgres.dsn.rpartition("/")[0] + f"/{self.prefix[:-1]}"
        self.journal = Journal(folder / "journal")
        self.maker = Maker(self.prefix, seed)
        self.sender = Sender(servers.kafka.bootstrap, self.journal, self.maker)
        self.auditor = Auditor(
            servers.kafka.bootstrap, self.prefix, self.dsn, servers.redis.url, self.journal
        )
        self.auditor.cluster = servers.cluster
        self.services: list[Victim] = []
        self.ends: Counter[tuple[str, int | None]] = Counter()
        """How services ended that nobody had ended."""
        self.notes: Counter[str] = Counter()
        """What strikes count for their checks."""
        self._dsns: dict[str, str] = {}

    async def open(self, members: Mapping[str, int] | None = None) -> None:
        """Make everything and start the services, one process of each unless told otherwise.

        Returns once all are ready.
        """
        async with self.auditor.redis() as client:
            await client.flushall()
        await _create_database(self.servers.postgres.dsn, self.dsn)
        self._dsns = await prepared(self.dsn, TENANTS)
        await topics(self.servers.kafka.bootstrap, self.prefix)
        self.keys = {
            tenant: (
                await create_key(self.dsn, tenant=tenant, role="admin", name="faults", audit=AUDIT)
            ).key
            for tenant in TENANTS
        }
        self.poster = Poster(self.journal, self.maker, self.keys)
        self.reader = Reader(self.keys)
        for service in SERVICES:
            for _ in range((members or {}).get(service, 1)):
                self.another(service).start()
        await self.ready()

    def another(self, service: str, *command: str) -> Victim:
        """One more process of a service, not started yet."""
        env = self.servers.env(service, self._dsns[service]) | {
            "ASSAY_TOPIC_PREFIX": self.prefix,
            "ASSAY_SECRET_KEY": SECRET,
            "ASSAY_INGEST_MAX_RECORDS": "500",
            "ASSAY_METRICS_MAX_RECORDS": "500",
        }
        victim = Victim(
            service, env, self.folder, command or ("-m", "deploy.cli", "service", service)
        )
        self.services.append(victim)
        return victim

    def one(self, service: str) -> Victim:
        """The first process of a service."""
        return next(victim for victim in self.services if victim.name == service)

    @asynccontextmanager
    async def flowing(self) -> AsyncIterator[None]:
        """Traffic, readers and somebody who starts dead services again, all in the background."""
        jobs = (self._send, self._post, self._read, self._tend)
        running = [asyncio.ensure_future(job()) for job in jobs]
        try:
            yield
            for task in running:
                if task.done():
                    task.result()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def ready(self, deadline_s: float = 90) -> None:
        """Every process that should live says that nothing is missing."""
        await eventually(self._all_ready, why="all are ready", deadline_s=deadline_s)

    async def claimed(self) -> None:
        """Metrics has cells of every partition: it needs Postgres to begin with one."""

        async def so() -> bool:
            async with self.auditor.redis() as client:
                places = self.auditor.partitions
                return all([await client.exists(keys.fence(*one)) for one in places])

        await eventually(so, why="metrics has claimed every partition", deadline_s=60)

    async def caught_up(self, deadline_s: float = CAUGHT_UP_WITHIN_S) -> None:
        """Everything that Kafka has by now is in both stores, and all services are ready."""
        ends = await eventually(
            lambda: _or_none(self.auditor.ends()), why="Kafka answers", deadline_s=deadline_s
        )

        async def so() -> bool:
            found = await _or_none(self.auditor.positions())
            return found is not None and all(
                at[one] >= end for at in found for one, end in ends.items()
            )

        await eventually(so, why="both have caught up", deadline_s=deadline_s, every_s=0.2)
        await self.ready(deadline_s)

    async def dismiss(self, victim: Victim) -> None:
        """One process fewer, in order."""
        await asyncio.to_thread(victim.stop)
        self.services.remove(victim)

    async def forget_cells(self) -> None:
        """Redis forgets where metrics stood: it must build its cells anew."""
        async with self.auditor.redis() as client:
            for one in self.auditor.partitions:
                await client.unlink(keys.fence(*one))

    async def close(self) -> None:
        """End what was started, and drop the database."""
        for victim in self.services:
            victim.wake()
            victim.kill()
        await self.sender.__aexit__()
        await asyncio.to_thread(self.servers.mend)
        with contextlib.suppress(Exception):
            await _drop_database(self.servers.postgres.dsn, self.dsn)

    def mended(self) -> int:
        """How many live numbers metrics found wrong, and mended before anybody audited them."""
        logs = self.folder.glob("metrics.log")
        lines = (line for log in logs for line in log.read_text().splitlines())
        return sum(json.loads(line)["measures"] for line in lines if '"cells_differ"' in line)

    async def _all_ready(self) -> bool:
        wanted = [one for one in self.services if one.wanted]
        return [await one.waits_for() for one in wanted] == [{}] * len(wanted)

    async def _send(self) -> None:
        await self._steadily(
            PORTION_EVERY_S, lambda: self.sender.send(max(1, int(self.rate * PORTION_EVERY_S)))
        )

    async def _post(self) -> None:
        async with httpx2.AsyncClient(timeout=ANSWER_WITHIN_S, verify=False) as client:

            async def post() -> None:
                client.base_url = httpx2.URL(self.one("gateway").url)
                await self.poster.post(client, POSTED)

            await self._steadily(POST_EVERY_S, post)

    async def _read(self) -> None:
        async with httpx2.AsyncClient(timeout=ANSWER_WITHIN_S, verify=False) as client:

            async def look() -> None:
                client.base_url = httpx2.URL(self.one("gateway").url)
                await self.reader.look(client)

            await self._steadily(POST_EVERY_S, look)

    async def _tend(self) -> None:
        while True:
            for victim in self.services:
                if victim.wanted and not victim.alive:
                    self.ends[victim.name, victim.exit_code] += 1
                    victim.start()
            await asyncio.sleep(0.3)

    async def _steadily(self, every_s: float, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """At a pace, whatever is away; anything else that goes wrong ends it."""
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            with contextlib.suppress(httpx2.TransportError, KafkaError, OSError, TimeoutError):
                await work()
            await asyncio.sleep(max(0.0, started + every_s - loop.time()))


async def _or_none(asked: Coroutine[Any, Any, Any]) -> Any:
    """The answer, or nothing while what was asked is away."""
    try:
        async with asyncio.timeout(10):
            return await asked
    except Exception:
        return None


async def _create_database(server: str, dsn: str) -> None:
    connection = await asyncpg.connect(server)
    await connection.execute(f"CREATE DATABASE {dsn.rpartition('/')[2]}")
    await connection.close()


async def _drop_database(server: str, dsn: str) -> None:
    connection = await asyncpg.connect(server)
    await connection.execute(f"DROP DATABASE {dsn.rpartition('/')[2]} WITH (FORCE)")
    await connection.close()
