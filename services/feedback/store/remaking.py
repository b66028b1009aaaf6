"""Rows made anew for all of history, and what another version of the formula would make of them."""

from collections.abc import AsyncIterator

from asyncpg import Pool
from pydantic_core import from_json

from services.feedback.domain.terms import evidence_of
from services.feedback.domain.weighting import Evidence
from services.feedback.queries import due

PORTION = 5_000
_NEXT = """
    SELECT tenant_id, operation_id FROM feedback_operations
     WHERE (tenant_id, operation_id) > ($1, $2) ORDER BY tenant_id, operation_id LIMIT $3
"""


class PostgresRemaking:
    """Asks services for all rows anew; reads what they would be made of."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def operations(self) -> int:
        """How many operations somebody spoke of."""
        return int(await self._pool.fetchval("SELECT count(*) FROM feedback_operations"))

    async def note(self) -> AsyncIterator[int]:
        """Note all operations as due, a portion in a transaction; answers how many so far."""
        at, noted = ("", ""), 0
        while True:
            async with self._pool.acquire() as connection, connection.transaction():
                rows = await connection.fetch(_NEXT, *at, PORTION)
                keys = [(row[0], row[1]) for row in rows]
                await due.note(connection, keys)
            noted += len(keys)
            yield noted
            if len(keys) < PORTION:
                return
            at = keys[-1]

    async def due(self) -> int:
        """How many notes there are."""
        return int(await self._pool.fetchval("SELECT count(*) FROM feedback_due"))

    async def evidence(self) -> AsyncIterator[tuple[str, Evidence]]:
        """Of each row that is ready: its id, and all that is known of it."""
        async with self._pool.acquire() as connection, connection.transaction(readonly=True):
            cursor = await connection.cursor(
                "SELECT row_id, terms, consent FROM model_training_data WHERE state = 'ready'"
            )
            while rows := await cursor.fetch(PORTION):
                for row in rows:
                    yield str(row[0]), evidence_of(from_json(row[1]), consent=row[2])
