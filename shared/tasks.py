"""End tasks for certain."""

import asyncio
from collections.abc import Collection
from typing import Any

AGAIN_AFTER_S = 0.5


async def end(tasks: Collection[asyncio.Future[Any]]) -> None:
    """Cancel tasks until all have ended, whatever they end with.

    Once is not enough: `asyncio.timeout(0)` swallows a cancellation that came just before it
    (CPython issue 134471), and redis-py asks that way, before every command, whether a connection
    still lives. A job that speaks to Redis all the time missed two cancellations of five.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=AGAIN_AFTER_S)
    await asyncio.gather(*tasks, return_exceptions=True)
