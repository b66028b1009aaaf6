"""Bugs on the way into Redis."""

import asyncio
import importlib
import itertools
from typing import Any

from services.metrics import app as metrics_app
from services.metrics.queries import snapshot
from services.metrics.service import intake
from services.metrics.store import cells
from shared.delivery import scripts
from shared.delivery.redis import RedisFence
from tests.faults.mutants.register import mutant


@mutant
def no_fence_in_redis() -> None:
    """Whoever comes may count."""
    start = scripts.APPLY.index("if fence[1] ~=")
    end = scripts.APPLY.index("\n", start)
    _apply_script(scripts.APPLY[:start] + scripts.APPLY[end:])


@mutant
def position_apart_from_cells() -> None:
    """The position in Redis is kept by another clock than the cells."""
    original = RedisFence.claim

    async def claim(self: Any, partition: Any) -> Any:
        found = await original(self, partition)
        if found is None:
            return None
        older = max(0, found.next_offset - 40)
        await self._client.hset(f"{{{partition.topic}.{partition.partition}}}:fence", "next", older)
        return found._replace(next_offset=older)

    RedisFence.claim = claim  # type: ignore[method-assign]


@mutant
def repeats_counted() -> None:
    """Redis does not know an event again."""
    names = itertools.count()
    intake.digest = lambda _: next(names).to_bytes(12, "big")


@mutant
def rebuilt_at_another_cut() -> None:
    """Cells of one instant, position of a later one."""
    original = snapshot.take

    async def take(pool: Any, partition: Any, *what: Any) -> Any:
        found = await original(pool, partition, *what)
        for _ in range(20):
            async with pool.acquire() as connection:
                later = await snapshot.position(connection, partition)
            if later != found.next_offset:
                found.next_offset = later
                break
            await asyncio.sleep(0.05)
        return found

    metrics_app.snapshot.take = take


@mutant
def hours_forgotten() -> None:
    """Hour cells are not kept."""
    cells.by_hour = lambda _: {}


@mutant
def feedback_joined_again() -> None:
    """Feedback that was counted goes on waiting."""
    forget = "redis.call('HDEL', KEYS[4], ARGV[i])"
    assert forget in scripts.APPLY
    _apply_script(scripts.APPLY.replace(forget, ""))


def _apply_script(text: str) -> None:
    importlib.import_module("shared.delivery.redis").APPLY = text  # type: ignore[attr-defined]
