"""When keys were last used: gathered in memory, written every half minute, to five minutes."""

import asyncio
from collections.abc import Collection
from datetime import datetime
from typing import Protocol

import structlog

from services.gateway.domain.api_keys import Principal
from services.gateway.domain.problems import AwayError
from shared.clock import Clock

EVERY_S = 30.0

log = structlog.get_logger()


class Store(Protocol):
    """Where keys stay."""

    async def used(self, tenant_id: str, key_ids: Collection[str], at: datetime) -> None:
        """Note that keys were used."""


class KeyUses:
    """Nobody waits for it, and what is lost when a process dies is half a minute."""

    def __init__(self, store: Store, now: Clock) -> None:
        self._store = store
        self._now = now
        self._used: dict[str, set[str]] = {}

    def note(self, who: Principal) -> None:
        """A key was used."""
        if who.user is None:
            self._used.setdefault(who.tenant_id, set()).add(who.key_id)

    async def write(self) -> None:
        """Write down what was noted; what fails is for the next time."""
        for tenant_id in list(self._used):
            key_ids = self._used.pop(tenant_id)
            try:
                await self._store.used(tenant_id, key_ids, self._now())
            except Exception:
                self._used.setdefault(tenant_id, set()).update(key_ids)
                raise

    async def run(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self.write()
            except AwayError as error:
                log.warning("key_uses_not_written", why=str(error))
            except Exception:  # a table of another version, say: nothing may end this job
                log.exception("key_uses_not_written")
