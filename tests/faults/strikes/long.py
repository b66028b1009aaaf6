"""F20 and F22: a fault a minute for hours, and every process replaced while people work."""

import asyncio
import os
import time

import psutil

from deploy.migrations import migrate
from tests.faults.matrix import FAULTS, fault
from tests.faults.servers import SERVICES
from tests.faults.stage import Stage

SOAK_MINUTES = float(os.environ.get("ASSAY_SOAK_MINUTES", "480"))
EVERY_S = 60
BLOWS = ("F1", "F4", "F5a", "F5b", "F5c", "F6a", "F7a", "F7b", "F9", "F12")
MOST_GROWTH_A_DAY = 0.05
GRACE_MB = 20
UNAVAILABLE = 503


async def grew(stage: Stage) -> list[str]:
    """No process has grown by more than a twentieth a day."""
    return [
        f"{name} grew by {stage.notes[name]} MB"
        for name in SERVICES
        if stage.notes[name] > stage.notes[f"{name} may"]
    ]


@fault(
    "F20", f"soak, a fault a minute for {SOAK_MINUTES:.0f} min", (0, 0, 1), 60, check=grew, rate=50
)
async def soak(stage: Stage, _: int) -> None:
    """Each minute something else, decided by the seed."""
    began = time.monotonic()
    turn = 0
    sizes: dict[str, list[float]] = {name: [] for name in SERVICES}
    while time.monotonic() - began < SOAK_MINUTES * 60:
        minute = time.monotonic()
        await FAULTS[stage.chance.choice(BLOWS)].strike(stage, turn)
        await stage.caught_up()
        turn += 1
        for name in SERVICES:
            sizes[name].append(psutil.Process(stage.one(name).pid).memory_info().rss / 2**20)
        await asyncio.sleep(max(0.0, minute + EVERY_S - time.monotonic()))  # a fault a minute
    for name, found in sizes.items():
        # Processes are replaced all the time: what counts is how large they get, early and late.
        tenth = max(1, len(found) // 10)
        stage.notes[name] = round(max(found[-tenth:]) - max(found[:tenth]))
        days = (time.monotonic() - began) / 86_400
        stage.notes[f"{name} may"] = round(GRACE_MB + found[0] * MOST_GROWTH_A_DAY * days)


async def unnoticed(stage: Stage) -> list[str]:
    """Nobody who reads was turned away."""
    return [
        f"{path} answered 503, {times} times"
        for (path, status), times in stage.reader.statuses.items()
        if status == UNAVAILABLE
    ]


@fault("F22", "rolling replacement of all, with migrations", (0, 3, 5), 30, check=unnoticed)
async def replace(stage: Stage, _: int) -> None:
    """The schema first, then a new process of each service before the old one ends."""
    await migrate(stage.dsn)
    for service in SERVICES:
        old = stage.one(service)
        new = stage.another(service)
        new.start()
        await stage.ready()
        stage.services.remove(new)
        stage.services.insert(0, new)  # from here on, people are sent to it
        await asyncio.sleep(1)  # as long as it takes those who look after endpoints
        await stage.dismiss(old)
