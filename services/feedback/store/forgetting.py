"""Forgets operations and votes by notes of an erasure, many together: rows, sums and datasets."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from uuid import UUID

from services.feedback.domain.changing import ERASED, changed, event_of
from services.feedback.domain.making import Row
from services.feedback.queries import due, raters, training
from services.feedback.queries import erasing as queries
from shared.clock import Clock
from shared.delivery.postgres import Session
from shared.training.shards import shard_of


class Forgetting:
    """Works at notes of one tenant; each answers which operations it could not do yet."""

    def __init__(self, new_id: Callable[[], UUID], now: Clock) -> None:
        self._new_id = new_id
        self._now = now

    async def operations(
        self, connection: Session, tenant_id: str, asked: Collection[str]
    ) -> tuple[Counter[str], set[str]]:
        """All of these operations: how much of each was removed, and those that wait.

        An operation waits while somebody makes rows of its shard.
        """
        by_shard: dict[int, list[str]] = {}
        for one in asked:
            by_shard.setdefault(shard_of(tenant_id, one), []).append(one)
        free = [one for one in sorted(by_shard) if await due.take_shard(connection, one)]
        ours = sorted(one for shard in free for one in by_shard[shard])
        removed: Counter[str] = Counter()
        if ours:
            known = await queries.stands_told(connection, tenant_id, ours)
            await raters.add(connection, tenant_id, [one._replace(now=[]) for one in known])
            removed += await queries.take_all_votes(connection, tenant_id, ours)
            await queries.forget_operations(connection, tenant_id, ours)
            removed += Counter(
                one.operation_id for one in await self._rows(connection, tenant_id, ours)
            )
            await training.leave_datasets(connection, [(tenant_id, one, None) for one in ours])
        return removed, set(asked) - set(ours)

    async def again(self, connection: Session, tenant_id: str, asked: Sequence[str]) -> set[str]:
        """What was being copied meanwhile is there by now; and what was told need not be kept."""
        if not asked:
            return set()
        await training.leave_datasets(connection, [(tenant_id, one, None) for one in asked])
        return await queries.forget_changes(connection, tenant_id, asked)

    async def raters(
        self, connection: Session, tenant_id: str, asked: Sequence[tuple[str, UUID | None]]
    ) -> set[str]:
        """Once rows are made without votes, the sums and datasets forget them too.

        `asked`: operations, each with a row that leaves datasets if the vote had one of its own.
        """
        if not asked:
            return set()
        operations = sorted({one for one, _ in asked})
        waiting = await queries.still_due(connection, tenant_id, operations)
        ours = [one for one in operations if one not in waiting]
        rows = [(tenant_id, one, row) for one, row in asked if row and one not in waiting]
        if rows:
            await training.leave_datasets(connection, rows)
        known = await queries.stands_told(connection, tenant_id, ours)
        if known:
            await raters.add(connection, tenant_id, known)
            await queries.told(connection, tenant_id, ours)
        return waiting

    async def _rows(self, connection: Session, tenant_id: str, ours: Sequence[str]) -> list[Row]:
        """Remove their rows, and have it told."""
        stored = await training.stored(connection, [(tenant_id, one) for one in ours])
        found = [changed(old, [], ERASED) for old in stored.values()]
        gone = [row for one in found for row in one.gone]
        if gone:
            await training.remove(connection, [(row.tenant_id, row.row_id) for row in gone])
        now = self._now()
        events = [event_of(*told, self._new_id(), now) for one in found for told in one.told]
        await training.tell(connection, events)
        return gone
