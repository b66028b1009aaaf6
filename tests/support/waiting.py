"""Wait for a condition, with a deadline; the only place in the tests that sleeps."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any

EVERY_S = 0.05


async def eventually(
    condition: Callable[[], Any | Awaitable[Any]],
    *,
    why: str,
    deadline_s: float = 30,
    every_s: float = EVERY_S,
) -> Any:
    """The first true answer of `condition`; a failure names what it answered last."""
    give_up_at = time.monotonic() + deadline_s
    while True:
        answer = condition()
        if inspect.isawaitable(answer):
            answer = await answer
        if answer:
            return answer
        if time.monotonic() > give_up_at:
            raise AssertionError(f"not within {deadline_s} s: {why} (last: {answer!r})")
        await asyncio.sleep(every_s)


async def gone(
    left: Callable[[], Awaitable[list[str]]],
    *,
    why: str,
    deadline_s: float = 30,
    every_s: float = EVERY_S,
) -> None:
    """Until nothing is left; a failure names what is."""
    what: list[str] = []

    async def nothing() -> bool:
        what[:] = await left()
        return not what

    try:
        await eventually(nothing, why=why, deadline_s=deadline_s, every_s=every_s)
    except AssertionError as error:
        error.add_note(f"left: {what}")
        raise
