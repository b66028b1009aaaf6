"""Keeps what rules ask of single operations up to date: read from Postgres, a little at a time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Protocol

import structlog

from services.metrics.domain.alerting import RuleBook
from services.metrics.domain.rows import Lens, Position, Sight, lens_of, wanted_by
from services.metrics.domain.windows import Model
from shared.alerts.grouping import Grouped
from shared.alerts.rule import AlertRule
from shared.alerts.slots import Stored
from shared.alerts.versions import Compared
from shared.clock import Clock

READ_EVERY_S = 2.0
AGAIN_AFTER_S = 5.0
STALE_S = 20.0
# Connections of the pool: a past takes minutes, and nobody else is to wait for it.
PASTS_AT_ONCE, READINGS_AT_ONCE = 1, 2
PORTION = 500

log = structlog.get_logger()


class Rows(Protocol):
    """Operations in Postgres."""

    def past(self, tenant_id: str, lens: Lens) -> AsyncIterator[tuple[Position, list[Stored]]]:
        """All that is seen through a lens, a portion at a time."""

    async def later(
        self, tenant_id: str, since: Mapping[Lens, Position]
    ) -> tuple[Position, dict[Lens, list[Stored]]] | None:
        """What was stored since; `None` when the log began anew."""


class RowKeeper:
    """Sums of operations by agent and by version, of all tenants whose rules ask for them."""

    def __init__(
        self, rows: Rows, is_behind: Callable[[Mapping[int, int]], bool], now: Clock
    ) -> None:
        self._rows = rows
        self._is_behind = is_behind
        self._now = now
        self._tenants: dict[str, _Tenant] = {}
        self._pasts = asyncio.Semaphore(PASTS_AT_ONCE)
        self._readings = asyncio.Semaphore(READINGS_AT_ONCE)

    async def run(self, rules: Callable[[], RuleBook | None]) -> None:
        """Read what rules ask for, for ever; a tenant of whom that takes long is not waited for."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._begin(group, rules())
                await asyncio.sleep(READ_EVERY_S)

    def seen(self, rule: AlertRule, model: Model, deaf_at: float) -> Grouped | Compared | None:
        """What a rule sees of a model now; `None` while that is not known.

        `deaf_at`: when we last could not hear of anything new (Unix seconds).
        """
        tenant, lens = self._tenants.get(model[0]), lens_of(rule)
        sight = tenant.sights.get(lens) if tenant is not None and lens is not None else None
        if tenant is None or sight is None or self._now_s() - sight.read_at > STALE_S:
            return None
        return sight.seen(rule, model[1], max(deaf_at, tenant.deaf_at))

    def _begin(self, group: asyncio.TaskGroup, book: RuleBook | None) -> None:
        if book is None:
            return
        wanted = wanted_by(book)
        for tenant_id in self._tenants.keys() - wanted.keys():
            if not self._tenants[tenant_id].loading:
                del self._tenants[tenant_id]
        for tenant_id, lenses in wanted.items():
            tenant = self._tenants.setdefault(tenant_id, _Tenant(tenant_id))
            tenant.keep(lenses)
            for lens in lenses - tenant.sights.keys() - tenant.loading:
                tenant.loading.add(lens)
                group.create_task(self._load(tenant, lens))
            if tenant.sights and not tenant.is_reading:
                tenant.is_reading = True
                group.create_task(self._read(tenant))

    async def _load(self, tenant: "_Tenant", lens: Lens) -> None:
        """Read the past, then read on with the others."""
        sight = Sight(tenant.name, lens, self._now_s())
        try:
            async with self._pasts:
                async for position, stored in self._rows.past(tenant.name, lens):
                    sight.position = position
                    for start in range(0, len(stored), PORTION):
                        sight.add(stored[start : start + PORTION])
                        await asyncio.sleep(0)
            sight.pass_time(self._now_s())
            tenant.sights[lens] = sight
        except Exception as error:
            log.warning("rows_not_loaded", tenant=tenant.name, why=repr(error)[:300])
            await asyncio.sleep(AGAIN_AFTER_S)
        finally:
            tenant.loading.discard(lens)

    async def _read(self, tenant: "_Tenant") -> None:
        try:
            async with self._readings:
                await self._read_on(tenant)
        except Exception as error:
            # Postgres away, or too slow: what is known grows old, and then nothing is said.
            log.warning("rows_deferred", tenant=tenant.name, why=repr(error)[:300])
            await asyncio.sleep(AGAIN_AFTER_S)
        finally:
            tenant.is_reading = False

    async def _read_on(self, tenant: "_Tenant") -> None:
        sights, now = dict(tenant.sights), self._now_s()
        since = {lens: sight.position for lens, sight in sights.items() if sight.position}
        found = await self._rows.later(tenant.name, since)
        if found is None:
            log.warning("rows_begin_anew", tenant=tenant.name)
            tenant.sights.clear()
            return
        position, stored = found
        for lens, rows in stored.items():
            try:
                sights[lens].add(rows)
                sights[lens].pass_time(now)
            except Exception:
                tenant.sights.pop(lens, None)  # half counted is worse than not known
                raise
            sights[lens].position = position
        is_behind = self._is_behind(position.ends)
        if is_behind or now - tenant.read_at > STALE_S:
            tenant.deaf_at = now  # what came meanwhile was not seen: nobody was silent
        tenant.read_at = now
        if not is_behind:  # else not all is stored that came: soon what is known is too old
            for sight in sights.values():
                sight.read_at = now

    def _now_s(self) -> float:
        return self._now().timestamp()


class _Tenant:
    """What is known of one tenant."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.sights: dict[Lens, Sight] = {}
        self.loading: set[Lens] = set()
        self.is_reading = False
        self.read_at = self.deaf_at = 0.0

    def keep(self, lenses: frozenset[Lens]) -> None:
        """Forget what nobody looks through any more."""
        for lens in self.sights.keys() - lenses:
            del self.sights[lens]
