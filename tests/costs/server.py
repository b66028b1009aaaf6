"""What the script that counts a batch costs Redis, beside the same increments sent one by one."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from deploy.local.process import free_port, spawn
from deploy.local.redis import find_server
from services.metrics.domain.batch import Increments
from services.metrics.store.cells import RedisStore
from shared import keys
from shared.delivery.plan import Partition
from tests.costs.counting import executed, watched
from tests.costs.work import batch
from tests.support.abtests import NOON
from tests.support.waiting import eventually

BATCHES = 8
HERE = Partition("ai.operations.v1", 0)
Load = Callable[[Redis, Increments], Awaitable[None]]


async def by_script(client: Redis, more: Increments) -> None:
    """As metrics does it."""
    store = RedisStore(client, lambda: NOON)
    await client.hset(keys.fence(*HERE), mapping={"epoch": 0, "next": 0, "gen": 1})
    fence = await store.claim(HERE)
    for number in range(1, BATCHES + 1):
        assert fence is not None
        await store.add(HERE, fence, number, 0, more)
        fence = await store.read(HERE)


async def one_by_one(client: Redis, more: Increments) -> None:
    """The same fields and digests as plain commands, in one pipeline a batch."""
    members = RedisStore(client, lambda: NOON)._by_member(more.cells)
    for _ in range(BATCHES):
        pipeline = client.pipeline(transaction=False)
        for member, (_, by_series) in members.items():
            for prefix, cell in by_series.items():
                for measure, count in cell.items():
                    pipeline.hincrby(member, prefix + measure, count)
        pipeline.sadd("seen", *more.seen)
        await pipeline.execute()


async def nothing(_: Redis, __: Increments) -> None:
    """A server that only starts and ends."""


async def instructions(load: Load, folder: Path) -> int:
    """What a server executed from its start to its end, in a folder of its own."""
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    argv = watched(
        [find_server(), *options, "--hz", "1", "--activerehashing", "no", "--dir", str(folder)],
        folder,
    )
    child = spawn("redis", list[str | Path](argv), folder / "said.log")
    try:
        async with Redis.from_url(f"redis://127.0.0.1:{port}/0", socket_timeout=60) as client:
            await eventually(lambda: _answers(client), why="Redis answers", deadline_s=60)
            await load(client, batch())
            await client.shutdown(nosave=True)
        await eventually(lambda: not child.alive, why="Redis ends", deadline_s=60)
    finally:
        child.kill()
    return executed(folder, child.pid)


async def _answers(client: Redis) -> Any:
    try:
        return await client.ping()
    except Exception:
        return False
