"""Bugs on the way into Postgres."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from services.ingest.store import batches as ingest_store
from shared.delivery import postgres
from shared.delivery.faults import FAULTS
from shared.measures.cells import CellKey
from tests.faults.mutants.register import mutant


@mutant
def swallowed_exception() -> None:
    """What the store refused is passed over."""
    turns = itertools.count(1)
    original = ingest_store._insert

    async def insert(*what: Any) -> Any:
        if next(turns) % 4 == 0:
            return [], []
        return await original(*what)

    ingest_store._insert = insert


@mutant
def position_before_rows() -> None:
    """Two transactions: first the position, then the rows."""

    @asynccontextmanager
    async def fenced(
        self: Any, partition: Any, fence: Any, to: int, gap: int
    ) -> AsyncIterator[Any]:
        async with self._pool.acquire() as connection:
            await connection.execute(postgres.MOVE, self._group, *partition, *fence, to, gap)
            FAULTS.reach("postgres.in_transaction")
            async with connection.transaction():
                yield connection

    postgres.PostgresFence.fenced = fenced  # type: ignore[method-assign]


@mutant
def position_after_rows() -> None:
    """Two transactions: first the rows, then the position."""

    @asynccontextmanager
    async def fenced(
        self: Any, partition: Any, fence: Any, to: int, gap: int
    ) -> AsyncIterator[Any]:
        async with self._pool.acquire() as connection:
            async with connection.transaction():
                yield connection
            FAULTS.reach("postgres.in_transaction")
            await connection.execute(postgres.MOVE, self._group, *partition, *fence, to, gap)

    postgres.PostgresFence.fenced = fenced  # type: ignore[method-assign]


@mutant
def reuse_unnoticed() -> None:
    """Another body under a known identity passes for a repeat."""

    async def none(*_: Any) -> list[Any]:
        return []

    ingest_store._reuses = none


@mutant
def minutes_from_input() -> None:
    """Minutes count what came instead of what was new."""
    original = ingest_store._insert

    async def insert(connection: Any, table: Any, good: Any, rows: Any) -> Any:
        _, repeated = await original(connection, table, good, rows)
        return list(range(len(good))), repeated

    ingest_store._insert = insert


@mutant
def tenants_mixed() -> None:
    """One tenant's minutes are counted for another."""
    original = ingest_store.fold_operations

    def fold(priced: Any) -> Any:
        mixed: dict[CellKey, Any] = {}
        for key, cell in original(priced).items():
            total = mixed.setdefault(key._replace(tenant_id="acme"), {})
            for name, value in cell.items():
                total[name] = total.get(name, 0) + value
        return mixed

    ingest_store.fold_operations = fold
