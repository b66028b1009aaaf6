"""The last known A/B tests of every tenant, by which units are assigned: no store in the way."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from pydantic import ValidationError

from services.gateway.domain.experiments import KeptTest, kept_test
from services.gateway.domain.problems import AwayError
from shared import clock

REFRESH_EVERY_S = 1.0
# Whoever asks for what is not known makes us look at once, but not more often than this.
LOOK_AGAIN_AFTER_S = 0.1
# A transaction that began to commit before the last look may have become visible after it.
OVERLAP = timedelta(seconds=60)

Row = Any  # a row of the store: members by column
Load = Callable[[datetime | None], Awaitable[Sequence[Row]]]
"""Answers rows of the tests changed since then, or of all."""

log = structlog.get_logger()


class KnownTests:
    """A copy that is refreshed about every second, and stays as it was while Postgres is away."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._tests: dict[str, dict[UUID, KeptTest]] = {}
        self._keys: dict[tuple[str, str], UUID] = {}
        self._newest: datetime | None = None
        self._is_known = False
        self._looking = asyncio.Lock()
        self._looked_at = -LOOK_AGAIN_AFTER_S

    async def by_id(self, tenant_id: str, test_id: UUID) -> KeptTest | None:
        """One test; raises `AwayError` when nothing was ever known."""
        await self._look_for(lambda: test_id in self._tests.get(tenant_id, ()))
        return self._tests.get(tenant_id, {}).get(test_id)

    async def by_key(self, tenant_id: str, key: str) -> KeptTest | None:
        """One test by its key; likewise."""
        await self._look_for(lambda: (tenant_id, key) in self._keys)
        test_id = self._keys.get((tenant_id, key))
        return None if test_id is None else self._tests[tenant_id][test_id]

    async def of(self, tenant_id: str) -> list[KeptTest]:
        """All tests of a tenant by key; likewise."""
        await self._look_for(lambda: self._is_known)
        return sorted(self._tests.get(tenant_id, {}).values(), key=lambda one: one.config.key)

    def put(self, test: KeptTest) -> None:
        """Know a test as it is now, unless something newer is known of it."""
        tests = self._tests.setdefault(test.tenant_id, {})
        known = tests.get(test.test_id)
        if known is not None:
            if known.updated_at > test.updated_at:
                return
            before = (test.tenant_id, known.config.key)
            # A draft may be given another key, and its old one to another test by now.
            if known.config.key != test.config.key and self._keys.get(before) == test.test_id:
                del self._keys[before]
        tests[test.test_id] = test
        self._keys[test.tenant_id, test.config.key] = test.test_id

    async def refresh(self) -> None:
        """Look for what has changed."""
        since = None if self._newest is None else self._newest - OVERLAP
        try:
            rows = await self._load(since)
        finally:
            self._looked_at = clock.monotonic()
        for row in rows:
            if not self._has(row):
                self._read(row)
        self._newest = max((row["updated_at"] for row in rows), default=self._newest)
        self._is_known = True

    async def keep_fresh(self) -> None:
        """Refresh for ever; while that fails, what was known holds."""
        while True:
            try:
                async with self._looking:
                    await self.refresh()
            except AwayError:
                pass  # told by the readiness checks
            except Exception as error:
                log.error("refresh_failed", why=repr(error)[:300])
            await asyncio.sleep(REFRESH_EVERY_S)

    async def _look_for(self, found: Callable[[], bool]) -> None:
        """What is not known may have been made at another gateway a moment ago: look again."""
        if found():
            return
        async with self._looking:
            is_due = clock.monotonic() - self._looked_at >= LOOK_AGAIN_AFTER_S
            if is_due and not found():
                with contextlib.suppress(AwayError):
                    await self.refresh()
        if not self._is_known:
            raise AwayError("postgres")

    def _has(self, row: Row) -> bool:
        known = self._tests.get(row["tenant_id"], {}).get(row["test_id"])
        return known is not None and known.updated_at == row["updated_at"]

    def _read(self, row: Row) -> None:
        """Know a test anew; one that a newer release has written stays as it was known."""
        try:
            self.put(kept_test(row))
        except ValidationError as error:
            log.error("unreadable_test", test_id=str(row["test_id"]), why=str(error)[:300])
