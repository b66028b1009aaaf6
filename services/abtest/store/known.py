"""The tests that events may concern, read anew in every transaction, understood once."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import structlog
from pydantic import ValidationError

from services.abtest.domain.live import LiveTest, Tests, live_test
from services.abtest.queries import tests as queries
from shared.delivery.postgres import Session

MOST = 10_000

log = structlog.get_logger()


class KnownTests:
    """Understands a test again only when it was changed: to read epochs costs milliseconds."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, UUID], tuple[datetime, LiveTest | None]] = {}

    async def of(self, connection: Session, tenants: Sequence[str], began_at: datetime) -> Tests:
        """Tests of tenants that had begun by now, and not ended before an instant."""
        versions = await queries.versions(connection, tenants, began_at)
        changed = [
            test_id
            for tenant_id, test_id, at in versions
            if self._known.get((tenant_id, test_id), (None,))[0] != at
        ]
        if changed:
            await self._read(connection, changed)
        found: dict[str, dict[UUID, LiveTest]] = {}
        for tenant_id, test_id, _ in versions:
            _, test = self._known.get((tenant_id, test_id), (None, None))
            if test is not None:
                found.setdefault(tenant_id, {})[test_id] = test
        return found

    async def one(self, connection: Session, tenant_id: str, test_id: UUID) -> LiveTest | None:
        """One test, however long ago it ended; `None` when there is none that had begun."""
        await self._read(connection, [test_id])
        return self._known.get((tenant_id, test_id), (None, None))[1]

    async def _read(self, connection: Session, changed: Sequence[UUID]) -> None:
        if len(self._known) > MOST:
            self._known.clear()
        # Bodies first: a change between the two leaves an old version with new steps, which is read
        # again. The other way round it would be the newest version with old steps, for good.
        bodies = await queries.bodies(connection, changed)
        steps = await queries.steps(connection, changed)
        for row in bodies:
            key = row["tenant_id"], row["test_id"]
            try:
                test = live_test(row, steps.get(key, []))
            except ValidationError as error:
                # Written by a newer release: nothing can be counted for it here.
                log.error("unreadable_test", test_id=str(key[1]), why=str(error)[:300])
                test = None
            self._known[key] = row["updated_at"], test
