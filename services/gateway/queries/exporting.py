"""SQL of exports: one transaction, one cursor, in the order of the file."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from asyncpg import Record
from asyncpg.cursor import Cursor

from services.gateway.domain.exporting import Wanted
from shared.delivery.postgres import Session
from shared.measures.stored import NO_JIT
from shared.training.filters import READY, clauses
from shared.training.stored import BY_INPUT, COLUMNS, ORDER

PORTION_S = 300
"""What a portion may take: the first one sorts, where no index has the order."""
PORTION_TIMEOUT = f"SET LOCAL statement_timeout = '{PORTION_S}s'"
# A sort of everything would write it all to disk before the first row: indexes have most of the
# order. One operation is found by another index, and sorted at once.
IN_ORDER = "SET LOCAL enable_sort = off"
OF_DATASET = """
    r.dataset_id = $2
    AND NOT EXISTS (SELECT FROM model_training_data AS now
                     WHERE now.tenant_id = r.tenant_id AND now.row_id = r.row_id
                       AND now.state = 'withdrawn')
    AND NOT EXISTS (SELECT FROM model_training_data AS now
                     WHERE now.tenant_id = r.tenant_id AND now.operation_id = r.operation_id
                       AND now.consent IS FALSE)
    AND NOT EXISTS (SELECT FROM training_blocks AS b
                     WHERE b.tenant_id = r.tenant_id AND b.row_id = r.row_id)
"""


class Question(NamedTuple):
    """A statement and the values of its places."""

    sql: str
    values: Sequence[Any]


async def opened(connection: Session, tenant_id: str, wanted: Wanted) -> "Cursor[Record]":
    """A cursor over what is wanted, until the transaction ends."""
    await connection.execute(PORTION_TIMEOUT)
    await connection.execute(NO_JIT)
    if wanted.filters.operation_id is None:
        await connection.execute(IN_ORDER)
    asked = question(tenant_id, wanted)
    return await connection.cursor(asked.sql, *asked.values, timeout=PORTION_S)


async def portion(cursor: "Cursor[Record]", rows: int) -> list[Record]:
    """The next records; none when there are no more."""
    found: list[Record] = await cursor.fetch(rows, timeout=PORTION_S)
    return found


def question(tenant_id: str, wanted: Wanted) -> Question:
    """What an export asks Postgres."""
    values: list[Any] = [tenant_id]
    if wanted.dataset_id is None:
        table, order, of = "model_training_data", ORDER, READY
    else:
        # Frozen in the order of the file.
        table, order, of = "dataset_rows", "r.position", OF_DATASET
        values.append(wanted.dataset_id)
    found, more = clauses(wanted.filters, len(values) + 1)
    where = " AND ".join(["r.tenant_id = $1", of, *found])
    sql = f"""
        SELECT {COLUMNS} FROM {table} AS r WHERE {where}
         ORDER BY {BY_INPUT if wanted.by_input else order}
    """
    return Question(sql, [*values, *more])
