"""Who may be named in an event: the tenants that exist, as far as this process knows."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping

from shared import clock

REFRESH_EVERY_S = 5.0
AT_MOST_EVERY_S = 1.0
MOST_WAITS = 10
ANOTHER_WAIT_S = 10.0
MOST_REFUSED = 10_000
"""Names that are remembered as refused."""

Load = Callable[[], Awaitable[Mapping[str, bool]]]
"""Answers tenant_id -> whether the tenant stores no content."""


class Tenants:
    """The last known tenants. An unknown one makes us look again, at most once a second."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._content_free: Mapping[str, bool] = {}
        self._looked_at = -AT_MOST_EVERY_S
        self._refused: dict[str, float] = {}
        self._waits, self._waits_at = float(MOST_WAITS), 0.0
        self._one_at_a_time = asyncio.Lock()

    def __contains__(self, tenant_id: object) -> bool:
        return tenant_id in self._content_free

    def content_free(self, tenant_id: str) -> bool:
        """Whether texts of this tenant must not be stored."""
        return self._content_free[tenant_id]

    def keeps_nothing(self, named: str | None) -> bool:
        """Whether content of a record may not be kept that names this tenant; or nobody, and then
        it may be of any that keeps none."""
        if named is None:
            return any(self._content_free.values())
        return self._content_free.get(named, False)

    async def refresh(self) -> None:
        """Load the tenants anew. A look that fails is none: it keeps nobody from looking."""
        began = clock.monotonic()
        self._content_free = dict(await self._load())
        self._looked_at = began

    async def look_again(self, names: Iterable[str]) -> None:
        """Unknown tenants came: they may have been made a moment ago.

        Where we may not look yet, the caller waits until we may: what follows at once upon its
        tenant is no stranger's. A name is waited for once in ten seconds, and all of them ten times
        in a row and then once in ten seconds: whoever sends ever new names holds the others up no
        longer than that.
        """
        asked, asked_at = set(names), clock.monotonic()
        async with self._one_at_a_time:
            new = asked - self._content_free.keys()
            if not new or self._looked_at > asked_at:
                return  # somebody else has looked meanwhile
            rest_s = self._looked_at + AT_MOST_EVERY_S - clock.monotonic()
            if rest_s > 0:
                if all(map(self._is_refused, new)) or not self._may_wait():
                    return
                await asyncio.sleep(rest_s)
            await self.refresh()
            self._refuse(new - self._content_free.keys())

    async def keep_fresh(self) -> None:
        """Refresh every 5 s, for ever."""
        while True:
            await self.refresh()
            await asyncio.sleep(REFRESH_EVERY_S)

    def _may_wait(self) -> bool:
        now = clock.monotonic()
        regained = (now - self._waits_at) / ANOTHER_WAIT_S
        self._waits, self._waits_at = min(MOST_WAITS, self._waits + regained), now
        if self._waits < 1:
            return False
        self._waits -= 1
        return True

    def _is_refused(self, name: str) -> bool:
        return clock.monotonic() - self._refused.get(name, -ANOTHER_WAIT_S) < ANOTHER_WAIT_S

    def _refuse(self, names: set[str]) -> None:
        if len(self._refused) > MOST_REFUSED:
            self._refused.clear()
        self._refused |= dict.fromkeys(names, clock.monotonic())
