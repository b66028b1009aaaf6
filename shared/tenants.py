"""Who may be named in an event: the tenants that exist, as far as this process knows."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from shared import clock

REFRESH_EVERY_S = 5.0
AT_MOST_EVERY_S = 1.0

Load = Callable[[], Awaitable[Mapping[str, bool]]]
"""Answers tenant_id -> whether the tenant stores no content."""


class Tenants:
    """The last known tenants. An unknown one makes us look again, at most once a second."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._content_free: Mapping[str, bool] = {}
        self._looked_at = -AT_MOST_EVERY_S

    def __contains__(self, tenant_id: object) -> bool:
        return tenant_id in self._content_free

    def content_free(self, tenant_id: str) -> bool:
        """Whether texts of this tenant must not be stored."""
        return self._content_free[tenant_id]

    async def refresh(self) -> None:
        """Load the tenants anew."""
        self._looked_at = clock.monotonic()
        self._content_free = dict(await self._load())

    async def look_again(self) -> None:
        """An unknown tenant came: it may have been made a moment ago."""
        if clock.monotonic() - self._looked_at >= AT_MOST_EVERY_S:
            await self.refresh()

    async def keep_fresh(self) -> None:
        """Refresh every 5 s, for ever."""
        while True:
            await self.refresh()
            await asyncio.sleep(REFRESH_EVERY_S)
