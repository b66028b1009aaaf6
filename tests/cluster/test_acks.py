"""What was answered 202 outlives the leader that had it; with `acks=1` it does not."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner

from deploy.local.kafka_jars import KafkaJars
from tests.cluster.servers import ClusterServers
from tests.faults import books, stored
from tests.faults.books import Finding
from tests.faults.journal import Intent
from tests.faults.mutants import ON_A_CLUSTER
from tests.faults.stage import Stage
from tests.faults.traffic import TENANTS, Maker
from tests.support.system import PARTITIONS
from tests.support.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.integration, pytest.mark.timeout(300)]

NOBODY = {"ingest": 0, "metrics": 0, "gateway": 0}
SOME = 20
# Less than the gateway itself waits for Kafka: its client then tries again.
PATIENCE_S = 4


class Aimed(Maker):
    """Makes only operations of one tenant that some partitions keep."""

    aim: frozenset[int] = frozenset()

    def operation(self) -> tuple[str, Intent, dict[str, Any]]:
        """The next one for them."""
        everywhere = list(range(PARTITIONS))
        while True:
            made = super().operation()
            tenant, _, event = made
            at = DefaultPartitioner()(event["operation_id"].encode(), everywhere, everywhere)
            if tenant == TENANTS[0] and at in self.aim:
                return made


@pytest.fixture
async def stage(cluster: ClusterServers, seed: int, tmp_path: Path) -> AsyncIterator[Stage]:
    """Stores and topics; services are started as they are needed."""
    made = Stage(cluster, tmp_path, seed, rate=0)
    made.maker = Aimed(made.prefix, seed)
    try:
        await made.open(NOBODY)
        yield made
    finally:
        for broker in cluster.brokers:
            _signal(broker, signal.SIGCONT)
        await made.close()


@pytest.mark.parametrize("mutant", ["none", *sorted(ON_A_CLUSTER)])
async def test_a_202_outlives_the_leader(
    mutant: str, cluster: ClusterServers, stage: Stage
) -> None:
    await _in_step(cluster, stage)
    leader, aim = await _a_leader(cluster, stage)
    assert isinstance(stage.maker, Aimed)
    stage.maker.aim = aim
    gateway = stage.another("gateway", "-m", "tests.faults.mutants", mutant, "gateway")
    gateway.start()
    await stage.ready()
    async with httpx2.AsyncClient(base_url=gateway.url, timeout=PATIENCE_S) as client:
        await _taken(stage, client, SOME)
        await _die_with_what_it_has(cluster, stage, leader, client)
        await _taken(stage, client, 0)
    found = await _verdict(stage)
    print(f"{mutant}: {stage.poster.statuses}, {found}")
    assert {one.kind for one in found} == ({"lost"} if mutant in ON_A_CLUSTER else set())


async def _a_leader(cluster: ClusterServers, stage: Stage) -> tuple[KafkaJars, frozenset[int]]:
    """The broker that leads most partitions of operations, and which."""
    leaders = await _leaders(cluster.kafka.bootstrap, stage)
    (node, _), *_ = Counter(leaders.values()).most_common(1)
    return cluster.brokers[node - 1], frozenset(p for p, one in leaders.items() if one == node)


async def _die_with_what_it_has(
    cluster: ClusterServers, stage: Stage, leader: KafkaJars, client: httpx2.AsyncClient
) -> None:
    """Its followers stop, it is told more, it dies, they go on without it, it comes back."""
    followers = [one for one in cluster.brokers if one is not leader]
    for one in followers:
        _signal(one, signal.SIGSTOP)
    # The first answers what followers have asked already and will read when they wake up.
    for _ in range(2):
        await stage.poster.post(client, SOME)
    leader.kill()
    for one in followers:
        _signal(one, signal.SIGCONT)
    bootstrap = ",".join(one.bootstrap for one in followers)
    dead = cluster.brokers.index(leader) + 1

    async def led_by_others() -> bool:
        try:
            leaders = await _leaders(bootstrap, stage)
        except (KafkaError, OSError, TimeoutError):
            return False
        return not {-1, dead} & set(leaders.values())

    await eventually(led_by_others, why="others lead", deadline_s=60, every_s=0.3)
    await asyncio.to_thread(leader.start)
    await _in_step(cluster, stage)


async def _taken(stage: Stage, client: httpx2.AsyncClient, count: int) -> None:
    """Post so many more, and again what has no answer, until all were answered 202."""
    await stage.poster.post(client, count)

    async def answered() -> bool:
        await stage.poster.post(client, 0)
        return stage.poster.waits == 0

    await eventually(answered, why="all are answered 202", deadline_s=60, every_s=0.3)


async def _verdict(stage: Stage) -> list[Finding]:
    """What the journal says of the rows, once ingest has read all that there is."""
    stage.another("ingest").start()
    ends = await stage.auditor.ends()

    async def stored_all() -> bool:
        return (await stage.auditor.positions())[0] == ends

    await eventually(stored_all, why="ingest has all of it", deadline_s=60, every_s=0.2)
    connection = await asyncpg.connect(stage.dsn)
    try:
        return list(books.events(*stage.journal.read(), await stored.rows(connection)))
    finally:
        await connection.close()


async def _in_step(cluster: ClusterServers, stage: Stage) -> None:
    async def so() -> bool:
        try:
            return await cluster.in_sync(stage.prefix)
        except (KafkaError, OSError, TimeoutError):
            return False  # a broker that has just been started may not answer yet

    await eventually(so, why="all replicas are in step", deadline_s=60)


async def _leaders(bootstrap: str, stage: Stage) -> dict[int, int]:
    """Partition of operations -> the node that leads it."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        (topic,) = await admin.describe_topics([f"{stage.prefix}operations.v1"])
    finally:
        await admin.close()
    return {one["partition"]: one["leader"] for one in topic["partitions"]}


def _signal(broker: KafkaJars, how: signal.Signals) -> None:
    if broker.child is not None and broker.child.alive:
        broker.child.process.send_signal(how)
