"""Rows are made here: one transaction for a portion of operations of a shard.

Notes are taken out first, then all is read that is committed: whoever says something meanwhile has
written a note that stays, and the operation is made once more. One process at a time works in a
shard, so that nobody puts an older row in the place of a newer one.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

import structlog
from asyncpg import DataError, Pool

from services.feedback.domain.changing import ERASED, Changed, changed, event_of, operation_of
from services.feedback.domain.evidence import stands
from services.feedback.domain.formulas import Formula
from services.feedback.domain.making import WITHDRAWN, Made, answer_of, rows_of
from services.feedback.domain.said import PseudonymOf
from services.feedback.domain.votes import consent, judges, superseded
from services.feedback.domain.weighting import instant
from services.feedback.queries import analysis, due, operations, raters, training
from services.feedback.queries.analysis import OperationKey
from shared.delivery.columns import ALWAYS_PLAN
from shared.delivery.faults import FAULTS
from shared.delivery.postgres import LIMITS, Session

PORTION = 400
# A change is told only once it lasts: a server that forgets would tell it twice, differently.
ON_DISK = "SET LOCAL synchronous_commit = on"
# What one operation can be to blame for. All else is the store's, and tried again.
UNMAKABLE = (ValueError, TypeError, KeyError, OverflowError, DataError)

log = structlog.get_logger()


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
            try:
                made = await self._make_portion(shard, PORTION, now)
            except UNMAKABLE as error:
                # Not its words: they may quote a text.
                log.error("rows_failed", shard=shard, kind=type(error).__name__)
                made = await self._make_apart(shard, now)
            if made is not None:
                return made
        return 0

    async def _make_portion(self, shard: int, most: int, now: datetime) -> int | None:
        """Notes taken and rows made, or neither; `None` while somebody else works in the shard."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(LIMITS)
            await connection.execute(ON_DISK)
            await connection.execute(ALWAYS_PLAN)
            if not await due.take_shard(connection, shard):
                return None
            keys = await due.take(connection, shard, most)
            await self._make(connection, keys, now)
            FAULTS.reach("feedback.made")
        return len(keys)

    async def _make_apart(self, shard: int, now: datetime) -> int:
        """One of a portion is to blame: alone, and if it is the one, later."""
        made = 0
        for _ in range(PORTION):
            try:
                one = await self._make_portion(shard, 1, now)
            except UNMAKABLE:
                async with self._pool.acquire() as connection:
                    await due.put_off(connection, shard)
                return made
            if not one:
                break
            made += one
        return made

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
        known, changes, refused = [], [], []
        replaced, judging = {}, {}
        for key, feedback in said.items():
            operation = found.get(key) or operation_of(old.get(key, {}))
            if len(feedback) > 1 and (gone := superseded(feedback)):
                replaced[key] = dict.fromkeys(gone, True)
            if consent(feedback) is False:
                refused.append(key)
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
            answer = answer_of(operation, self._pseudonym)
            stood = stands(answer, feedback)
            if by_models := judges(feedback, answer.judged):
                judging[key] = by_models
            known.append(operations.known(key, operation, at, stood))
        silent = [key for key in keys if key not in said]
        if silent:  # all that was said of these was erased
            changes += [changed(rows, [], ERASED) for key in silent if (rows := old.get(key))]
            await operations.silence(connection, silent)
        if known:
            await operations.keep(connection, known)
        if replaced:
            await analysis.mark(connection, "is_superseded", replaced)
        if judging:
            await analysis.mark(connection, "is_own_judge", judging)
        if refused:
            # Also what was replaced before, and is no row any more.
            await training.leave_datasets(connection, [(*key, None) for key in refused])
        await self._keep(connection, changes, now)

    async def _keep(self, connection: Session, changes: Sequence[Changed], now: datetime) -> None:
        rows = [row for one in changes for row in one.rows]
        if rows:
            await training.put(connection, rows)
        gone = [(row.tenant_id, row.row_id) for one in changes for row in one.gone]
        if gone:
            await training.remove(connection, gone)
        # What a later feedback replaced stays in datasets: frozen is what was said until then.
        withdrawn = [
            (row.tenant_id, row.operation_id, row.row_id) for row in rows if row.state == WITHDRAWN
        ]
        if withdrawn:
            await training.leave_datasets(connection, withdrawn)
        told = [change for one in changes for change in one.told]
        events = [event_of(row, state, self._new_id(), now) for row, state in told]
        await training.tell(connection, events)
