"""Long questions take turns: a few at once, of a tenant one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from services.gateway.domain.problems import Problem

# Each may take all its time: most of the pool's eight connections stay free for the rest.
MOST_AT_ONCE = 2
WAIT_S = 5.0


class Turns:
    """Who waits too long is told to come back."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._free = asyncio.Semaphore(MOST_AT_ONCE)
        self._tenants: dict[str, asyncio.Lock] = {}

    @asynccontextmanager
    async def turn(self, tenant_id: str) -> AsyncIterator[None]:
        """One of the few, and the tenant's only one: nobody takes them all."""
        own = self._tenants.setdefault(tenant_id, asyncio.Lock())
        async with AsyncExitStack() as held:
            try:
                async with asyncio.timeout(WAIT_S):
                    await held.enter_async_context(own)
                    await held.enter_async_context(self._free)
            except TimeoutError as error:
                said = f"Too many {self._what} at once; ask again shortly."
                raise Problem("overloaded", said) from error
            yield
