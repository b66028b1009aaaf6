"""F9 and F10: Kafka dies, restarts, is away, and is there after those who need it."""

import asyncio

from tests.faults.matrix import fault
from tests.faults.stage import Stage

STOPPED_FOR_S = 15
ABSENT_FOR_S = 120


@fault("F9", "Kafka: kill -9, restart, stopped for 15 s", (0, 3, 30), 60)
async def trouble(stage: Stage, turn: int) -> None:
    """One of three kinds of absence."""
    kafka = stage.servers.kafka
    if turn % 3 == 0:
        kafka.kill()
    else:
        await asyncio.to_thread(kafka.stop)
    if turn % 3 == 2:
        await asyncio.sleep(STOPPED_FOR_S)  # the fault itself
    await asyncio.to_thread(kafka.start)


@fault("F10", "Kafka: absent 120 s, services start first", (0, 1, 10), 30)
async def absent(stage: Stage, _: int) -> None:
    """All services end; they start again in any order, long before Kafka does."""
    for victim in stage.services:
        await asyncio.to_thread(victim.stop)
    await asyncio.to_thread(stage.servers.kafka.stop)
    order = list(stage.services)
    stage.chance.shuffle(order)
    for victim in order:
        victim.start()
        await asyncio.sleep(ABSENT_FOR_S / len(order))  # the fault itself
    await asyncio.to_thread(stage.servers.kafka.start)
