"""Datasets are frozen here: one transaction, so that all rows are of one instant, or none is there.

A second one opens it, without what was withdrawn meanwhile: the first did not see that.

The hash is that of the file that an export of the dataset gives, made by the same code.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

import structlog
from asyncpg import DataError, Pool, QueryCanceledError

from services.feedback.domain.formulas import Formula
from services.feedback.domain.freezing import Asked, Counts, How, fits, frozen, manifest
from services.feedback.domain.weighting import instant
from services.feedback.queries import datasets
from shared.delivery.columns import ALWAYS_PLAN
from shared.delivery.faults import FAULTS
from shared.delivery.postgres import Session
from shared.training.export import Choice, export
from shared.training.report import Report
from shared.training.row import TrainingRow
from shared.training.splits import ends

MOST_WHY = 300
# A statement sorts or copies a portion; the whole may take minutes. What the gateway has answered
# is on the disk, also where consumers need not wait for it.
LIMITS = """
    SET LOCAL lock_timeout = '5s';
    SET LOCAL statement_timeout = '5min';
    SET LOCAL idle_in_transaction_session_timeout = '60s';
    SET LOCAL synchronous_commit = on
"""
# What is to blame is the dataset, not the store: else the oldest would be tried for ever.
HOPELESS = (ValueError, TypeError, TimeoutError, QueryCanceledError, DataError)

log = structlog.get_logger()


class PostgresFreezing:
    """Freezes datasets that were asked for."""

    def __init__(self, pool: Pool, formula: Formula) -> None:
        self._pool = pool
        self._formula = formula

    async def freeze(self, now: datetime) -> bool:
        """Go on with the one that waits longest, if there is one."""
        if await self._finished():
            return True
        asked: Asked | None = None
        try:
            async with (
                self._pool.acquire() as connection,
                connection.transaction(isolation="repeatable_read"),
            ):
                await connection.execute(LIMITS)
                await connection.execute(ALWAYS_PLAN)
                asked = await datasets.next_asked(connection)
                if asked is None:
                    return False
                await self._freeze(connection, asked, instant(now))
                FAULTS.reach("feedback.frozen")
        except HOPELESS as error:
            if asked is None:
                raise
            log.exception("dataset_failed", dataset=str(asked.dataset_id))
            async with self._pool.acquire() as connection:
                await datasets.fail(connection, asked, repr(error)[:MOST_WHY])
        return True

    async def _finished(self) -> bool:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(LIMITS)
            return await datasets.finish(connection)

    async def _freeze(self, connection: Session, asked: Asked, at: datetime) -> None:
        how = How(at, self._formula, ends(asked.splits))
        counts, report = Counts(), Report()
        async for _ in export(_copied(connection, asked, how, counts), Choice(), report):
            pass  # only its hash is wanted
        await datasets.freeze(connection, asked, manifest(asked, counts, report, how), at)


async def _copied(
    connection: Session, asked: Asked, how: How, counts: Counts
) -> AsyncIterator[Sequence[TrainingRow]]:
    """Rows as they are frozen, once they are kept."""
    async for portion in datasets.rows(connection, asked):
        kept = [
            (frozen(row, terms, asked.tenant_id, how), input_hash)
            for row, terms, input_hash in portion
        ]
        kept = [pair for pair in kept if fits(pair[0], asked.filters)]
        await datasets.add(connection, asked, counts.rows, kept)
        for row, _ in kept:
            counts.add(row)
        yield [row for row, _ in kept]
