"""A consumer that was away for longer than the log lasts says so, and skips nothing itself."""

import asyncio
import json
import os
import sys
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from shared.delivery.plan import Partition
from tests.faults.stage import Stage
from tests.support.system import SECRET
from tests.support.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.integration, pytest.mark.timeout(300)]


async def test_what_expired_unread_is_an_incident_until_somebody_decides(stage: Stage) -> None:
    stands = Partition(f"{stage.prefix}operations.v1", 0)
    others = [one for one in stage.auditor.partitions if one != stands]
    # Of an id whose first use expired, a second use would be an event like any other, and a repeat
    # of the first then a reuse of it: right, and not what the journal says.
    stage.maker.mix = stage.maker.mix._replace(reuses=0)
    async with stage.flowing():
        await stage.caught_up()
        for service in ("ingest", "metrics"):
            await asyncio.to_thread(stage.one(service).stop)
        before = (await stage.auditor.positions())[0][stands]
        sent = stage.sender.acknowledged
        await eventually(
            lambda: stage.sender.acknowledged > sent + 5 * stage.rate, why="some are unread"
        )
        await _expire(stage, stands)
        for service in ("ingest", "metrics"):
            stage.one(service).start()
        ends = await stage.auditor.ends()

        async def others_go_on() -> bool:
            return all(
                at[one] >= ends[one] for at in await stage.auditor.positions() for one in others
            )

        await eventually(others_go_on, why="other partitions go on", deadline_s=60, every_s=0.2)
        for service in ("ingest", "metrics"):
            await eventually(lambda: _incident(stage, service), why=f"{service} says why")  # noqa: B023 - awaited here
        assert (await stage.auditor.positions())[0][stands] == before
        listed = await _assay(stage, "fences", "list")
        (problem,) = [one for one in listed if one["incident"]]
        assert (problem["topic"], problem["partition"]) == stands
        moved = await _assay(stage, "fences", "move", *map(str, stands), "--to", "start", "--yes")
        assert moved["skipped"] == problem["log_start"] - before > 0
        await stage.caught_up()
    found = await stage.auditor.verdict()
    # What nobody could read any more is lost, said so, and nothing else is wrong.
    assert {one.kind for one in found} == {"lost"}, found
    gaps = [one.count for one in found if "skipped" in one.text and "ingest" in one.text]
    assert gaps == [moved["skipped"]]


async def _incident(stage: Stage, service: str) -> bool:
    """Whether a service says that records expired before it could read them."""
    waits_for = await stage.one(service).waits_for() or {}
    return "expired before they were consumed" in waits_for.get("incident", "")


async def _expire(stage: Stage, partition: Partition) -> None:
    """As retention does: the log's head is gone."""
    end = (await stage.auditor.ends())[partition]
    admin = AIOKafkaAdminClient(bootstrap_servers=stage.servers.kafka.bootstrap)
    await admin.start()
    await admin.delete_records({TopicPartition(*partition): RecordsToDelete(before_offset=end)})
    await admin.close()


async def _assay(stage: Stage, *arguments: str) -> Any:
    """A command of the program, answered as JSON."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.cli", *arguments, "--json"),
        env={
            **os.environ,
            "ASSAY_KAFKA_BOOTSTRAP_SERVERS": stage.servers.kafka.bootstrap,
            "ASSAY_POSTGRES_DSN": stage.dsn,
            "ASSAY_REDIS_URL": stage.servers.redis.url,
            "ASSAY_TOPIC_PREFIX": stage.prefix,
            "ASSAY_SECRET_KEY": SECRET,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return json.loads(output)
