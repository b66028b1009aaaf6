"""Keeps what rules ask of single operations up to date: read from Postgres, a little at a time."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

import structlog

from services.metrics.domain.alerting import RuleBook
from services.metrics.domain.rows import Position, Read, TenantRows, Wanted, wanted_by
from services.metrics.domain.windows import Model
from shared.alerts.grouping import Grouped
from shared.alerts.rule import AlertRule
from shared.alerts.versions import Compared
from shared.clock import Clock

READ_EVERY_S = 1.0
AGAIN_AFTER_S = 5.0
STALE_S = 60.0
# Each may take a connection of the pool for minutes: the first time it reads a day.
MOST_AT_ONCE = 2
PORTION = 2_000

log = structlog.get_logger()


class Rows(Protocol):
    """Operations in Postgres."""

    async def read(
        self, tenant_id: str, wanted: Wanted, known: Wanted, since: Position | None
    ) -> tuple[Read, Position] | None:
        """What is new, and of what is not `known` all there is; `None` when the log began anew."""


class RowKeeper:
    """Sums of operations by agent and by version, of all tenants whose rules ask for them."""

    def __init__(
        self,
        rows: Rows,
        is_behind: Callable[[Mapping[int, int]], bool],
        now: Clock,
    ) -> None:
        self._rows = rows
        self._is_behind = is_behind
        self._now = now
        self._tenants: dict[str, _Tenant] = {}

    async def run(self, rules: Callable[[], RuleBook | None]) -> None:
        """Read what rules ask for, for ever; a tenant of whom that takes long is not waited for."""
        limit = asyncio.Semaphore(MOST_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            while True:
                for tenant, wanted in self._due(rules()):
                    tenant.is_reading = True
                    group.create_task(self._read(tenant, wanted, limit))
                await asyncio.sleep(READ_EVERY_S)

    def seen(self, rule: AlertRule, model: Model) -> Grouped | Compared | None:
        """What a rule sees of a model now; `None` while that is not known."""
        tenant = self._tenants.get(model[0])
        if tenant is None or self._now().timestamp() - tenant.read_at > STALE_S:
            return None
        return tenant.rows.seen(rule, model[1], tenant.deaf_at)

    def _due(self, book: RuleBook | None) -> list[tuple["_Tenant", Wanted]]:
        if book is None:
            return []
        wanted = wanted_by(book)
        self._tenants = {
            name: self._tenants.get(name) or _Tenant(name) for name in wanted
        }  # whatever is still being read of others is forgotten with them
        return [
            (self._tenants[name], one)
            for name, one in wanted.items()
            if not self._tenants[name].is_reading
        ]

    async def _read(self, tenant: "_Tenant", wanted: Wanted, limit: asyncio.Semaphore) -> None:
        try:
            async with limit:
                await self._read_on(tenant, wanted)
        except Exception as error:
            # Postgres away, or too slow: what is known grows old, and then nothing is said.
            log.warning("rows_deferred", tenant=tenant.name, why=repr(error)[:300])
            await asyncio.sleep(AGAIN_AFTER_S)
        finally:
            tenant.is_reading = False

    async def _read_on(self, tenant: "_Tenant", wanted: Wanted) -> None:
        tenant.rows.keep(wanted)
        found = await self._rows.read(tenant.name, wanted, tenant.rows.known, tenant.position)
        if found is None:
            log.warning("rows_begin_anew", tenant=tenant.name)
            tenant.begin_anew()
            return
        read, position = found
        now = self._now().timestamp()
        await tenant.count(read, wanted, now)
        if now - tenant.read_at > STALE_S or self._is_behind(position.ends):
            # What came meanwhile was not seen: nobody was silent.
            tenant.deaf_at = now
        tenant.position, tenant.read_at = position, now


class _Tenant:
    """What was read of one tenant, and up to where."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.read_at = self.deaf_at = 0.0
        self.is_reading = False
        self.begin_anew()

    async def count(self, read: Read, wanted: Wanted, now: float) -> None:
        """Add what was read, a little at a time; half of it would be worse than nothing."""
        try:
            for portion in read.portions(PORTION):
                self.rows.add(portion, now)
                await asyncio.sleep(0)
            self.rows.pass_time(wanted, now)
        except Exception:
            self.begin_anew()
            raise

    def begin_anew(self) -> None:
        """Forget all sums."""
        self.rows = TenantRows(self.name)
        self.position: Position | None = None
