"""Whether the stores answer."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping

import structlog

from services.gateway.domain.problems import AwayError

PROBE_TIMEOUT_S = 2.0
WARM_EVERY_S = 5.0

log = structlog.get_logger()


Check = Callable[[], Awaitable[object]]


async def readiness(checks: Mapping[str, Check]) -> dict[str, str]:
    """What is ready, by name: `ok` or `away`."""

    async def state(check: Check) -> str:
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                await check()
        except (AwayError, TimeoutError):
            return "away"
        return "ok"

    states = await asyncio.gather(*(state(check) for check in checks.values()))
    return dict(zip(checks, states, strict=True))


class Looking:
    """Who ask at the same time are answered by one look: anybody may ask, as often as they like."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks
        self._look: asyncio.Task[dict[str, str]] | None = None

    async def __call__(self) -> dict[str, str]:
        """What is ready, by name."""
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(readiness(self._checks))
        return await asyncio.shield(self._look)


async def keep_warm(checks: Mapping[str, Check]) -> None:
    """Connect ahead of the first request, and again after trouble; say what is away."""
    away: list[str] = []
    while True:
        with contextlib.suppress(asyncio.TimeoutError):
            states = await readiness(checks)
            now_away = [name for name, state in states.items() if state != "ok"]
            if now_away != away:
                away = now_away
                log.warning("dependencies", away=away)
        await asyncio.sleep(WARM_EVERY_S)
