"""What is played on the two services, so that a bug that is there shows itself."""

import asyncio
import inspect
import json
from typing import Any
from uuid import uuid4

import asyncpg
from redis.asyncio import Redis

from shared import keys
from tests.faults.duo import Duo
from tests.support.system import PARTITIONS
from tests.support.waiting import eventually

SOME = 600
RULE = {
    "name": "errors",
    "metric": "error_rate",
    "operator": ">",
    "warning": 0.005,
    "group_by": ["model_id"],
}
# A tenth of what each of them does fails.
ILL = {"model-0", "model-1", "model-2", "only-acme"}


async def plain(stage: Duo, _: str) -> None:
    """Some before the services are there, and some after."""
    await stage.traffic.send(SOME)
    for victim in stage.victims.values():
        victim.start()
    await stage.ready()
    await stage.traffic.send(SOME)


async def crash(stage: Duo, point: str) -> None:
    """One dies at a point, and is started again."""
    victim = stage.owner(point)
    for one in stage.victims.values():
        one.start(f"{point}:3" if one is victim else None)
    await stage.ready()
    await _until(stage, lambda: not victim.alive)
    victim.start()
    await stage.ready()
    await stage.traffic.send(SOME)


async def zombie(stage: Duo, point: str) -> None:
    """One stops in the middle of a write; another takes over; the first one wakes up."""
    victim = stage.owner(point)
    for one in stage.victims.values():
        one.start(f"{point}:3:stop" if one is victim else None)
    await stage.ready()
    await _until(stage, lambda: victim.is_stopped)
    heir = stage.another(victim.name)
    heir.start()
    await stage.traffic.send(SOME)
    ends = await stage.auditor.ends()

    async def taken_over() -> bool:
        """All of it: where the heir has done nothing yet, the zombie does no harm."""
        return (await stage.auditor.positions())[victim.name == "metrics"] == ends

    await eventually(taken_over, why="the heir has everything", deadline_s=60)
    victim.wake()

    async def tried() -> bool:
        done = await victim.number("assay_batch_seconds_count")
        return done + await victim.number("assay_fenced_writes_total") > before

    before = 2  # batches before the one in which it was stopped
    await eventually(tried, why="the zombie has written or was refused", deadline_s=60)
    await stage.traffic.send(SOME)


async def emptied(stage: Duo, _: str) -> None:
    """Redis loses everything while ingest is behind metrics, under traffic."""
    await plain(stage, "")
    await eventually(lambda: _quiet(stage), why="all is consumed", deadline_s=60)
    stage.victims["ingest"].pause()
    await stage.traffic.send(SOME)
    fences = [keys.fence(*one) for one in stage.auditor.partitions]
    async with Redis.from_url(stage.auditor.redis_url) as client:

        async def ahead() -> bool:
            return await _fenced(client, fences) == await stage.auditor.sent()

        async def rebuilt() -> bool:
            return await client.exists(*fences) == 2 * PARTITIONS

        await eventually(ahead, why="metrics is ahead", deadline_s=60)
        await client.flushall()
        stage.victims["ingest"].wake()
        await _until(stage, rebuilt)


async def alerted(stage: Duo, point: str) -> None:
    """The owner of a model stops while it writes an alert down; its heir begins one as well."""
    await plain(stage, "")
    first = stage.owner(point)
    await eventually(lambda: _looked(stage), why="all shares were looked at", deadline_s=60)
    await asyncio.to_thread(first.stop)
    await _ask_for_alerts(stage)
    first.start(f"{point}:1:stop")
    await eventually(lambda: first.is_stopped, why="an alert is being written", deadline_s=60)
    stage.another(first.name).start()

    async def fires() -> bool:
        told = await stage.auditor.told()
        return {one.body["model_id"] for one in told if one.body["state"] == "firing"} == ILL

    await eventually(fires, why="the heir's alerts fire", deadline_s=60, every_s=0.5)
    before = len(await stage.auditor.told())
    refusals = stage.log(first.name).count("alerts_fenced")
    first.wake()

    async def tried() -> bool:
        was_refused = stage.log(first.name).count("alerts_fenced") > refusals
        return was_refused or len(await stage.auditor.told()) > before

    await eventually(tried, why="the zombie has told or was refused", deadline_s=60, every_s=0.2)


async def _looked(stage: Duo) -> bool:
    """From now on only alerts are written down: the first thing of a share is that it has none."""
    shares = [keys.alerts(*one) for one in stage.auditor.partitions[:PARTITIONS]]
    async with Redis.from_url(stage.auditor.redis_url) as client:
        return bool(await client.exists(*shares) == PARTITIONS)


async def _ask_for_alerts(stage: Duo) -> None:
    """A rule that all of a tenant's models break."""
    connection = await asyncpg.connect(stage.dsn)
    await connection.execute(
        "INSERT INTO alert_rules (tenant_id, rule_id, body, created_by) "
        "VALUES ('acme', $1, $2, 'test')",
        uuid4(),
        json.dumps(RULE),
    )
    await connection.close()


async def _fenced(client: Any, fences: list[str]) -> int:
    return sum([int(await client.hget(fence, "next") or 0) for fence in fences])


async def _quiet(stage: Duo) -> bool:
    ends = await stage.auditor.ends()
    return await stage.auditor.positions() == (ends, ends)


async def _until(stage: Duo, condition: Any) -> None:
    """Send until it is so."""

    async def so() -> bool:
        await stage.traffic.send(50)
        answer = condition()
        return bool(await answer if inspect.isawaitable(answer) else answer)

    await eventually(so, why="it comes to that", deadline_s=60)


PLAY = {
    "plain": plain,
    "crash": crash,
    "zombie": zombie,
    "emptied": emptied,
    "alerted": alerted,
}
