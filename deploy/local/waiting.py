"""Wait until a part can really be used."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from deploy.local.process import Child, StartError

EVERY_S = 0.1


async def until_usable(
    child: Child, attempt: Callable[[], Awaitable[object]], deadline_s: float
) -> None:
    """Repeat `attempt` until it does not raise; a dead child or the deadline is an error."""
    give_up_at = time.monotonic() + deadline_s
    problem = "it gave no sign of life"
    while time.monotonic() < give_up_at:
        if not child.alive:
            problem = f"it ended with exit code {child.process.returncode}"
            break
        try:
            async with asyncio.timeout(5):
                await attempt()
        except Exception as error:
            problem = repr(error)
        else:
            return
        await asyncio.sleep(EVERY_S)
    raise StartError(f"{child.name} did not start: {problem}. Its log ends:\n{child.tail()}")
