"""F16 and F18: what goes wrong inside a process, and around it."""

import signal

from tests.faults.matrix import fault
from tests.faults.stage import Stage
from tests.support.waiting import eventually

WATCHDOG_EXIT = 70
BITES_WITHIN_S = 30
CONSUMERS = ("ingest", "metrics")


@fault("F16a", "stray cancellation of the consume loop", (1, 2, 20), 45, ends=(WATCHDOG_EXIT,))
async def stray_cancel(stage: Stage, turn: int) -> None:
    """The watchdog ends the process."""
    await _sabotaged(stage, "stray_cancel", CONSUMERS[turn % 2])


@fault("F16b", "dead event loop", (0, 2, 20), 45, ends=(WATCHDOG_EXIT,))
async def dead_loop(stage: Stage, turn: int) -> None:
    """The watchdog's thread ends the process."""
    await _sabotaged(stage, "dead_loop", CONSUMERS[turn % 2])


@fault("F16c", "hung producer in the gateway", (0, 1, 20), 30)
async def hung_producer(stage: Stage, _: int) -> None:
    """Callers get a 503 in time; a producer made anew goes on."""
    gateway = stage.one("gateway")
    gateway.stop()
    gateway.run_as("-m", "tests.faults.saboteur", "hung_producer", "gateway")
    gateway.start()
    await stage.ready()
    refused = stage.poster.statuses[503]
    gateway.send(signal.SIGUSR1)
    await eventually(
        lambda: stage.poster.statuses[503] > refused, why="a 503", deadline_s=BITES_WITHIN_S
    )
    taken = stage.poster.statuses[202]
    await eventually(lambda: stage.poster.statuses[202] > taken, why="a 202 again", deadline_s=60)


@fault("F18", "clocks wrong by an hour, one ahead, one behind", (0, 2, 5), 30)
async def clock(stage: Stage, turn: int) -> None:
    """A consumer starts with a wrong clock and goes on with it for a while."""
    victim = stage.one(CONSUMERS[turn % 2])
    victim.stop()
    victim.run_as("-m", "tests.faults.saboteur", "wrong_clock", victim.name)
    victim.start(SABOTEUR_CLOCK_HOURS=str((1, -1)[turn // 2 % 2 ^ turn % 2]))
    await stage.caught_up()
    victim.stop()
    victim.run_as("-m", "deploy.cli", "service", victim.name)
    victim.start()


async def _sabotaged(stage: Stage, what: str, service: str) -> None:
    victim = stage.one(service)
    victim.stop()
    victim.run_as("-m", "tests.faults.saboteur", what, service)
    victim.start()
    await stage.ready()
    name = (service, WATCHDOG_EXIT)
    before = stage.ends[name]
    victim.send(signal.SIGUSR1)
    await eventually(
        lambda: stage.ends[name] > before,
        why=f"the watchdog bites: {victim.tail()}",
        deadline_s=BITES_WITHIN_S,
    )
