"""Rows are made here: one transaction for a portion of operations of a shard.

Notes are taken out first, then all is read that is committed: whoever says something meanwhile has
written a note that stays, and the operation is made once more. One process at a time works in a
shard, so that nobody puts an older row in the place of a newer one.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from asyncpg import Pool

from services.feedback.domain.changing import Changed, changed, event_of, operation_of
from services.feedback.domain.evidence import stands
from services.feedback.domain.formulas import Formula
from services.feedback.domain.making import WITHDRAWN, Made, answer_of, rows_of
from services.feedback.domain.said import PseudonymOf
from services.feedback.domain.votes import superseded
from services.feedback.domain.weighting import instant
from services.feedback.queries import analysis, due, operations, raters, training
from services.feedback.queries.analysis import OperationKey
from services.feedback.queries.training import Change
from shared.delivery.columns import ALWAYS_PLAN
from shared.delivery.faults import FAULTS
from shared.delivery.postgres import LIMITS, Session

PORTION = 400


class PostgresMaking:
    """Makes rows of operations that are due."""

    def __init__(
        self,
        pool: Pool,
        formula: Formula,
        pseudonym: PseudonymOf,
        finds_pii: Callable[[str], bool],
        new_id: Callable[[], UUID],
    ) -> None:
        self._pool = pool
        self._formula = formula
        self._pseudonym = pseudonym
        self._finds_pii = finds_pii
        self._new_id = new_id

    async def make(self, now: datetime) -> int:
        """A portion of the shard that waits longest and nobody works in; answers how many."""
        for shard in await self._shards():
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(LIMITS)
                await connection.execute(ALWAYS_PLAN)
                if not await due.take_shard(connection, shard):
                    continue
                keys = await due.take(connection, shard, PORTION)
                await self._make(connection, keys, now)
                FAULTS.reach("feedback.made")
            return len(keys)
        return 0

    async def _shards(self) -> list[int]:
        async with self._pool.acquire() as connection:
            return await due.shards(connection)

    async def _make(self, connection: Session, keys: list[OperationKey], now: datetime) -> None:
        said = await analysis.of_operations(connection, keys)
        found = await operations.newest(connection, said) if said else {}
        old = await training.stored(connection, keys)
        blocked = await training.blocked(connection, keys)
        named = {(key[0], one.rater) for key, all_ in said.items() for one in all_ if one.rater}
        reliable = await raters.reliable(connection, sorted(named))
        at = instant(now)
        known, changes, replaced = [], [], {}
        for key, feedback in said.items():
            operation = found.get(key) or operation_of(old.get(key, {}))
            if operation is None:
                known.append(operations.known(key, None, at, []))
                continue
            how = Made(
                at,
                self._formula,
                reliable.get(key[0], {}),
                blocked.get(key, set()),
                self._pseudonym,
                self._finds_pii,
            )
            changes.append(changed(old.get(key, {}), rows_of(operation, feedback, how)))
            stood = stands(answer_of(operation, self._pseudonym), feedback)
            known.append(operations.known(key, operation, at, stood))
            if len(feedback) > 1 and (gone := superseded(feedback)):
                replaced[key] = gone
        if known:
            await operations.keep(connection, known)
        if replaced:
            await analysis.mark_superseded(connection, replaced)
        await self._keep(connection, changes, now)

    async def _keep(self, connection: Session, changes: Sequence[Changed], now: datetime) -> None:
        rows = [row for one in changes for row in one.rows]
        if rows:
            await training.put(connection, rows)
        gone = [(row.tenant_id, row.row_id) for one in changes for row in one.gone]
        if gone:
            await training.remove(connection, gone)
        told = [change for one in changes for change in one.told]
        if not told:
            return
        # What a later feedback replaced stays in datasets: frozen is what was said until then.
        withdrawn = [(row.tenant_id, row.row_id) for row in rows if row.state == WITHDRAWN]
        if withdrawn:
            await training.leave_datasets(connection, withdrawn)
        events = [event_of(row, state, self._new_id(), now) for row, state in told]
        await training.tell(
            connection,
            [
                Change(
                    *(one.tenant_id, one.event_id, one.operation_id, one.occurred_at),
                    one.model_dump_json(),
                )
                for one in events
            ],
        )
