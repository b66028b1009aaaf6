"""Members of every cluster die under traffic, one after another: the same zeroes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cluster.servers import ClusterServers
from tests.faults.stage import Stage
from tests.faults.strikes.services import storm
from tests.support.amounts import amount
from tests.support.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.integration, pytest.mark.timeout(1_800)]

ROUNDS = (1, 3, 10)[amount()]
RATE = 200
MEMBERS = {"ingest": 2, "metrics": 2, "gateway": 2}


@pytest.fixture
async def stage(cluster: ClusterServers, seed: int, tmp_path: Path) -> AsyncIterator[Stage]:
    """Two processes of each service."""

    print(f"seed {seed} (ASSAY_TEST_SEED), journal and logs in {tmp_path}")
    made = Stage(cluster, tmp_path, seed, RATE)
    try:
        await made.open(MEMBERS)
        yield made
    finally:
        await made.close()


async def test_no_member_s_death_changes_a_number(cluster: ClusterServers, stage: Stage) -> None:
    async with stage.flowing():
        for turn in range(ROUNDS):
            await stage.caught_up()
            await _broker_dies(cluster, stage, turn)
            await _master_dies(cluster, stage, turn)
            for service in MEMBERS:
                victim = stage.one(service)
                victim.kill()
                victim.start()
            await stage.caught_up()
            if ROUNDS > 1:
                await storm(stage, turn)
                await stage.caught_up()
    assert await stage.auditor.verdict() == []
    assert (stage.reader.leaks, stage.reader.wrong()) == ([], [])
    assert stage.reader.reads > 0


async def _broker_dies(cluster: ClusterServers, stage: Stage, turn: int) -> None:
    """Two of three are enough for everything: nobody waits for the third."""
    await eventually(
        lambda: cluster.in_sync(stage.prefix), why="all replicas are in step", deadline_s=60
    )
    broker = cluster.brokers[turn % len(cluster.brokers)]
    broker.kill()
    acknowledged = stage.sender.acknowledged
    await eventually(
        lambda: stage.sender.acknowledged > acknowledged + RATE,
        why="two brokers acknowledge",
        deadline_s=60,
    )
    await stage.caught_up()
    await asyncio.to_thread(broker.start)


async def _master_dies(cluster: ClusterServers, stage: Stage, turn: int) -> None:
    """Its partitions wait for it; it comes back from its append-only file."""
    master = cluster.masters[turn % len(cluster.masters)]
    master.kill()
    acknowledged = stage.sender.acknowledged
    await eventually(lambda: stage.sender.acknowledged > acknowledged + RATE, why="traffic goes on")
    await asyncio.to_thread(master.start)
    await stage.caught_up()
