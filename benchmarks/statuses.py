"""CPU of one look at the health of a thousand models of two environments, everything changed."""

import logging
import random
import statistics
import time

import structlog

from benchmarks.alerts import LOOKS, MODELS, filled_minute
from benchmarks.servers import Servers
from services.metrics.domain.windows import Place
from shared.keys import MINUTE_CELLS
from tests.unit.metrics.test_status_keeper import NOON, SHARE, made


async def statuses(_: Servers) -> dict[str, float]:
    """Milliseconds of CPU a look takes, median of some."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    chance = random.Random(1)
    world, keeper = made()
    await keeper.refresh()
    took = []
    for look in range(LOOKS):
        start = int(NOON.timestamp()) // 60 * 60 - 60 * (LOOKS - look)
        for environment in ("production", "staging"):
            content = filled_minute(chance, environment)
            world.filled.put(Place(environment, MINUTE_CELLS, "acme", start), content)
        started = time.process_time()
        await keeper.look([SHARE])
        took.append((time.process_time() - started) * 1000)
    assert len(world.kept or {}) == MODELS * 3  # else something else was measured
    return {"status_look_ms": statistics.median(took)}
