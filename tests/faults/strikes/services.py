"""F1 to F4 and F12: services that are killed, stopped, moved, and come back as zombies."""

import asyncio

from shared.delivery.faults import POINTS
from tests.faults.matrix import fault
from tests.faults.servers import SERVICES
from tests.faults.stage import Stage
from tests.faults.victims import Victim
from tests.support.waiting import eventually

STOPPED_FOR_S = 30
CONSUMERS = ("ingest", "metrics")
MOST_MEMBERS = 4
ZOMBIES = ("postgres.in_transaction", "redis.before_apply", "postgres.before_begin")
KILLED = -9
EXIT_WITHIN_S = 20


@fault("F1", "kill -9 of any service", (0, 20, 200), 20)
async def kill(stage: Stage, turn: int) -> None:
    """One process dies; another takes its place at once."""
    victim = stage.one(SERVICES[turn % len(SERVICES)])
    victim.kill()
    victim.start()


@fault(
    "F2",
    "kill -9 at each crash point",
    (0, 3 * len(POINTS), 50 * len(POINTS)),
    20,
    ends=(KILLED,),
)
async def crash(stage: Stage, turn: int) -> None:
    """One process kills itself at a named point, and is started again."""
    point = POINTS[turn % len(POINTS)]
    victim = stage.one(owner(point))
    victim.kill()
    victim.wanted = False
    before = dict(stage.ends)
    if point == "redis.before_activate":
        await stage.forget_cells()
    victim.start(f"{point}:{1 + turn % 3}")
    name = (victim.name, KILLED)
    await eventually(
        lambda: stage.ends[name] > before.get(name, 0), why=f"{point} is reached", deadline_s=60
    )


async def fenced(stage: Stage) -> list[str]:
    """Every zombie that wrote was refused."""
    refused = stage.notes.get("fenced", 0)
    return [] if refused else ["no zombie tried to write: the fault was not what it should be"]


@fault("F3", "zombie: stopped 30 s in a write", (1, 3, 50), 30, check=fenced)
async def zombie(stage: Stage, turn: int) -> None:
    """One stops in the middle of a write; another takes over; then the first one goes on."""
    point = ZOMBIES[turn % len(ZOMBIES)]
    name = owner(point)
    victim = stage.one(name)
    victim.stop()
    victim.start(f"{point}:3:stop")
    await eventually(lambda: victim.is_stopped, why=f"{point} is reached", deadline_s=60)
    stopped_at = asyncio.get_running_loop().time()
    heir = stage.another(name)
    heir.start()
    ends = await stage.auditor.ends()

    async def taken_over() -> bool:
        at = (await stage.auditor.positions())[CONSUMERS.index(name)]
        return all(at[one] >= end for one, end in ends.items())

    await eventually(taken_over, why="the heir has its partitions", deadline_s=60, every_s=0.2)
    left_s = STOPPED_FOR_S - (asyncio.get_running_loop().time() - stopped_at)
    await asyncio.sleep(max(0.0, left_s))  # the fault itself: it stands still for so long
    victim.wake()

    async def refused() -> float:
        return await victim.number("assay_fenced_writes_total")

    stage.notes["fenced"] = stage.notes.get("fenced", 0) + int(
        await eventually(refused, why="the zombie was refused", deadline_s=30)
    )
    await stage.dismiss(heir)


@fault("F4", "rolling SIGTERM of all services", (1, 5, 100), 20)
async def rolling(stage: Stage, _: int) -> None:
    """Each is asked to end, ends in order and in time, and another begins."""
    for service in SERVICES:
        victim = stage.one(service)
        asked_at = asyncio.get_running_loop().time()
        code = await asyncio.to_thread(victim.stop)
        assert code == 0, f"{service} ended with {code}: {victim.tail()}"
        assert asyncio.get_running_loop().time() - asked_at <= EXIT_WITHIN_S
        victim.start()


@fault("F12", "rebalance storm, 1 to 4 members", (1, 10, 100), 30)
async def storm(stage: Stage, _: int) -> None:
    """Members come and go, in order or killed, several at once."""
    for service in CONSUMERS:
        members = [one for one in stage.services if one.name == service]
        wanted = stage.chance.randint(1, MOST_MEMBERS)
        for _ in range(max(0, wanted - len(members))):
            stage.another(service).start()
        for leaving in members[wanted:]:
            await _leave(stage, leaving)


async def _leave(stage: Stage, victim: Victim) -> None:
    if stage.chance.random() < 0.5:
        victim.kill()
    else:
        await asyncio.to_thread(victim.stop)
    stage.services.remove(victim)


def owner(point: str) -> str:
    """The service that passes a point."""
    return "ingest" if point.startswith("postgres") else "metrics"
