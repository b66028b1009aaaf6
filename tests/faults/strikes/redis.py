"""F5 and F6: Redis dies, loses its tail, loses everything, is full."""

import asyncio
import shutil

from redis.asyncio import Redis

from tests.faults.matrix import fault
from tests.faults.stage import Stage
from tests.support.waiting import eventually

STOPPED_FOR_S = 10
FULL_FOR_S = 10
CUT_BYTES = 20_000
FAST = 2_000  # events/s
ENOUGH = 40_000


@fault("F5a", "Redis: kill -9", (1, 5, 50), 15)
async def kill(stage: Stage, _: int) -> None:
    """It dies and comes back from its append-only file."""
    stage.servers.redis.kill()
    await asyncio.to_thread(stage.servers.redis.start)


@fault("F5b", "Redis: kill -9, tail of the AOF lost", (1, 3, 25), 15)
async def cut(stage: Stage, _: int) -> None:
    """What was written last is gone, as after a power cut: fence and cells are older together."""
    async with Redis.from_url(stage.servers.redis.url) as client:

        async def written_anew() -> bool:
            found = await client.info("persistence")
            return bool(found["aof_rewrites"]) and not found["aof_rewrite_in_progress"]

        # Cut again before that, it would take the piece of the first cut for a part of the file.
        await eventually(written_anew, why="metrics had the file written anew")
    stage.servers.redis.kill()
    files = sorted((stage.servers.folder / "redis").rglob("*.incr.aof"))
    with files[-1].open("r+b") as file:
        size = file.seek(0, 2)
        file.truncate(max(0, size - stage.chance.randint(1, CUT_BYTES)))
    await asyncio.to_thread(stage.servers.redis.start)


@fault("F5c", "Redis: stopped for 10 s", (0, 3, 10), 15)
async def stop(stage: Stage, _: int) -> None:
    """It is away for a while."""
    await asyncio.to_thread(stage.servers.redis.stop)
    await asyncio.sleep(STOPPED_FOR_S)  # the fault itself
    await asyncio.to_thread(stage.servers.redis.start)


@fault("F6a", "Redis: all data deleted, under 2,000 events/s", (1, 1, 5), 120, rate=FAST)
async def lose(stage: Stage, _: int) -> None:
    """It comes back empty; nobody lifts a finger."""
    await eventually(
        lambda: stage.sender.acknowledged > ENOUGH, why="there is something to lose", deadline_s=60
    )
    stage.servers.redis.kill()
    shutil.rmtree(stage.servers.folder / "redis")
    await asyncio.to_thread(stage.servers.redis.start)


@fault("F6b", "Redis: out of memory for 10 s", (1, 1, 5), 20)
async def full(stage: Stage, _: int) -> None:
    """It refuses to write."""
    async with Redis.from_url(stage.servers.redis.url) as client:
        await client.config_set("maxmemory", 1)
        before = await _position(stage)
        await asyncio.sleep(FULL_FOR_S)  # the fault itself
        assert await _position(stage) == before, "metrics wrote into a full Redis"
        await client.config_set("maxmemory", 0)


async def _position(stage: Stage) -> int:
    """Where metrics stands once what was under way when memory ran out is done."""
    found = [-1]

    async def same() -> bool:
        found.append(sum((await stage.auditor.live_positions()).values()))
        return found[-1] == found[-2]

    await eventually(same, why="metrics stands still", every_s=0.5)
    return found[-1]
