"""A task that misses a cancellation is cancelled again."""

import asyncio

from shared.tasks import end


async def deaf(misses: int) -> None:
    """Go on through so many cancellations, as `asyncio.timeout(0)` makes a task do."""
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            misses -= 1
            if misses < 0:
                raise


async def failing() -> None:
    raise ValueError("whatever")


async def test_all_end_whatever_they_miss_and_end_with() -> None:
    tasks = [asyncio.ensure_future(one) for one in (deaf(0), deaf(2), failing())]
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await end(tasks)
    assert all(task.done() for task in tasks)


async def test_nothing_to_end_is_no_wait() -> None:
    await end([])
