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
from services.gateway.service.tried import tried
from shared import clock

REFRESH_EVERY_S = 1.0
# Whoever asks for what is not known makes us look at once, but not more often than this.
LOOK_AGAIN_AFTER_S = 0.1
# Whatever was missed, or is gone, is mended by then; ended tests leave the copy.
RELOAD_EVERY_S = 300.0
# A transaction that began to commit before the last look may have become visible after it.
OVERLAP = timedelta(seconds=60)

Row = Any  # a row of the store: members by column
Load = Callable[[datetime | None], Awaitable[Sequence[Row]]]
"""Answers rows of the tests changed since then, or of all; none of those that ended long ago."""

log = structlog.get_logger()


class KnownTests:
    """A copy that is refreshed about every second, and stays as it was while Postgres is away."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._tests: dict[str, dict[UUID, KeptTest]] = {}
        self._keys: dict[tuple[str, str], UUID] = {}
        self._unreadable: dict[UUID, datetime] = {}
        """Tests that a newer release has written, and when."""
        self._meanwhile: set[UUID] = set()
        """Changed here since the last look began, which may not have seen them."""
        self._newest: datetime | None = None
        self._is_known = self._is_fresh = False
        self._looking = asyncio.Lock()
        self._looked_at = -LOOK_AGAIN_AFTER_S
        self._reloaded_at = -RELOAD_EVERY_S

    async def by_id(self, tenant_id: str, test_id: UUID) -> KeptTest | None:
        """One test; raises `AwayError` when it is not known and Postgres cannot be asked."""
        await self._look_for(lambda: test_id in self._tests.get(tenant_id, ()))
        return self._tests.get(tenant_id, {}).get(test_id)

    async def by_key(self, tenant_id: str, key: str) -> KeptTest | None:
        """One test by its key; likewise."""
        await self._look_for(lambda: (tenant_id, key) in self._keys)
        test_id = self._keys.get((tenant_id, key))
        return None if test_id is None else self._tests[tenant_id][test_id]

    async def of(self, tenant_id: str) -> list[KeptTest]:
        """All tests of a tenant by key; raises `AwayError` when nothing was ever known."""
        await self._look_for(lambda: self._is_known)
        return sorted(self._tests.get(tenant_id, {}).values(), key=lambda one: one.config.key)

    def put(self, test: KeptTest) -> None:
        """Know a test as it is now, unless something newer is known of it."""
        self._meanwhile.add(test.test_id)
        self._know(test)

    async def refresh(self) -> None:
        """Look for what has changed; now and then for all there is."""
        is_due = clock.monotonic() - self._reloaded_at >= RELOAD_EVERY_S
        since = None if self._newest is None or is_due else self._newest - OVERLAP
        self._meanwhile.clear()
        self._is_fresh = False
        try:
            rows = await self._load(since)
        finally:
            self._looked_at = clock.monotonic()
        if since is None:
            self._reloaded_at = self._looked_at
            self._forget_all_but(rows)
        for row in rows:
            if not self._has(row):
                self._read(row)
        self._newest = max((row["updated_at"] for row in rows), default=self._newest)
        self._is_known = self._is_fresh = True

    async def keep_fresh(self) -> None:
        """Refresh for ever; while that fails, what was known holds."""
        while True:
            await tried(self._refresh_alone, "refresh_failed")
            await asyncio.sleep(REFRESH_EVERY_S)

    async def _refresh_alone(self) -> None:
        async with self._looking:
            await self.refresh()

    async def _look_for(self, found: Callable[[], bool]) -> None:
        """What is not known may have been made at another gateway a moment ago: look again.

        While nobody can look, nobody knows that it does not exist.
        """
        if found():
            return
        async with self._looking:
            is_due = clock.monotonic() - self._looked_at >= LOOK_AGAIN_AFTER_S
            if is_due and not found():
                with contextlib.suppress(AwayError):
                    await self.refresh()
        if not self._is_fresh and not found():
            raise AwayError("postgres")

    def _know(self, test: KeptTest) -> None:
        tests = self._tests.setdefault(test.tenant_id, {})
        known = tests.get(test.test_id)
        if known is not None:
            if known.updated_at > test.updated_at:
                return
            # A draft may be given another key, and its old one to another test by now.
            if known.config.key != test.config.key:
                self._free_key(known)
        tests[test.test_id] = test
        self._keys[test.tenant_id, test.config.key] = test.test_id

    def _has(self, row: Row) -> bool:
        known = self._tests.get(row["tenant_id"], {}).get(row["test_id"])
        versions = (known and known.updated_at, self._unreadable.get(row["test_id"]))
        return row["updated_at"] in versions

    def _read(self, row: Row) -> None:
        """Know a test anew; one that a newer release has written stays as it was known."""
        try:
            self._know(kept_test(row))
            self._unreadable.pop(row["test_id"], None)
        except ValidationError as error:
            self._unreadable[row["test_id"]] = row["updated_at"]
            log.error("unreadable_test", test_id=str(row["test_id"]), why=str(error)[:300])

    def _forget_all_but(self, rows: Sequence[Row]) -> None:
        """Make room for all there is: what ended long ago goes, and what a restored store undid."""
        now = {row["test_id"]: row["updated_at"] for row in rows}
        self._unreadable = {one: at for one, at in self._unreadable.items() if one in now}
        known = [test for tests in self._tests.values() for test in tests.values()]
        for test in known:
            is_there = test.test_id in now and test.updated_at <= now[test.test_id]
            if not is_there and test.test_id not in self._meanwhile:
                del self._tests[test.tenant_id][test.test_id]
                self._free_key(test)

    def _free_key(self, test: KeptTest) -> None:
        key = test.tenant_id, test.config.key
        if self._keys.get(key) == test.test_id:
            del self._keys[key]
