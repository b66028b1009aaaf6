"""SQL of notes: what a service has to erase because ingest has, operation by operation.

Whoever stores something of an operation and did not see that it is erased began before we saw the
note: a note is taken once all of those have ended.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from shared.delivery.columns import columns_of, unnested
from shared.delivery.postgres import Session
from shared.privacy.tasks import NEXT_NUMBER, OLDEST_WRITER, OWN_NUMBER, TENANT, Task, is_answered

FOLLOWERS = ("ingest", "abtest", "feedback", "gateway")
"""Services that keep something of an operation."""
SEEN_AT_ONCE = 10_000
_TYPES = ("text", "text", "uuid", "text", "text", "uuid", "uuid", "text", "boolean", "timestamptz")


class Note(NamedTuple):
    """What is to be erased: an operation, one feedback, or what a rater left."""

    tenant_id: str
    service: str
    erasure_id: UUID | None
    what: str
    operation_id: str
    event_id: UUID | None = None
    row_id: UUID | None = None
    replaced_by: str | None = None
    with_unit: bool = False
    erased_before: datetime | None = None


async def note(connection: Session, notes: Iterable[Note]) -> None:
    """Note down; whoever notes waits for nobody."""
    rows = list(notes)
    if rows:
        await connection.execute(
            f"INSERT INTO erasure_due ({', '.join(Note._fields)}) SELECT * FROM {unnested(_TYPES)}",
            *columns_of(rows, len(_TYPES)),
        )


async def tenants(connection: Session, service: str) -> list[str]:
    """Tenants of whom a service has something to erase."""
    rows = await connection.fetch("SELECT * FROM erasure_due_tenants($1)", service)
    return [row[0] for row in rows]


async def see(connection: Session, tenant_id: str, service: str) -> int:
    """Give new notes a number that is later than all who may not have seen them; how many.

    First the notes, then the number: a note that is committed between the two has none yet.
    """
    await connection.execute(TENANT, tenant_id)
    next_number = await connection.fetchval(NEXT_NUMBER)
    found = await connection.fetch(
        """
        SELECT due_id FROM erasure_due
         WHERE tenant_id = $1 AND service = $2 AND (seen_xid IS NULL OR seen_xid >= $3)
         ORDER BY due_id LIMIT $4
        """,
        *(tenant_id, service, next_number, SEEN_AT_ONCE),
    )
    if found:
        number = await connection.fetchval(OWN_NUMBER)
        await connection.execute(
            "UPDATE erasure_due SET seen_xid = $3 WHERE tenant_id = $1 AND due_id = ANY($2)",
            *(tenant_id, [row[0] for row in found], number),
        )
    return len(found)


async def take(
    connection: Session, tenant_id: str, service: str, most: int, *, after: int = 0
) -> Sequence[Any]:
    """The oldest notes that may be worked at, ours until the transaction ends."""
    await connection.execute(TENANT, tenant_id)
    oldest = await connection.fetchval(OLDEST_WRITER)
    return await connection.fetch(
        """
        SELECT due_id, erasure_id, what, operation_id, event_id, row_id, replaced_by, with_unit,
               erased_before, done_once, seen_xid
          FROM erasure_due
         WHERE tenant_id = $1 AND service = $2 AND seen_xid <= $3 AND due_id > $5
         ORDER BY due_id LIMIT $4 FOR UPDATE SKIP LOCKED
        """,
        *(tenant_id, service, oldest, most, after),
    )


async def once(connection: Session, tenant_id: str, notes: Sequence[int]) -> None:
    """The first half of these is done; the other waits again for all who are at work."""
    number = await connection.fetchval(OWN_NUMBER)
    await connection.execute(
        "UPDATE erasure_due SET done_once = true, seen_xid = $3"
        " WHERE tenant_id = $1 AND due_id = ANY($2)",
        *(tenant_id, notes, number),
    )


async def done(connection: Session, tenant_id: str, notes: Sequence[int]) -> None:
    """These are done with."""
    await connection.execute(
        "DELETE FROM erasure_due WHERE tenant_id = $1 AND due_id = ANY($2)", tenant_id, notes
    )


async def left(connection: Session, task: Task) -> bool:
    """Whether an erasure has left the task's service something to do."""
    return bool(
        await connection.fetchval(
            "SELECT EXISTS (SELECT FROM erasure_due"
            " WHERE tenant_id = $1 AND erasure_id = $2 AND service = $3)",
            *task[:3],
        )
    )


async def followed(connection: Session, task: Task, *services: str) -> bool:
    """Whether these services have erased their rows, and the task's own did what they noted."""
    for service in services:
        if not await is_answered(connection, task, service, "postgres"):
            return False
    return not await left(connection, task)


async def counted(
    connection: Session, tenant_id: str, service: str, removed: dict[UUID, int]
) -> None:
    """Add what was removed by notes to the receipts that are still open."""
    await connection.executemany(
        "UPDATE erasure_receipts SET removed = coalesce(removed, 0) + $4"
        " WHERE tenant_id = $1 AND erasure_id = $2 AND service = $3 AND store = 'postgres'"
        " AND at IS NULL",
        [(tenant_id, erasure_id, service, count) for erasure_id, count in sorted(removed.items())],
    )
