"""SQL of erasures as services work at them: one task for each store that is to answer.

Exact without a lock on anybody's way: a service sees a mark, takes a transaction number of its own,
and erases once all transactions with smaller numbers have ended. Whoever did not see the mark took
its number before the mark was committed, so before ours; whoever comes later sees it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic_core import from_json, to_json

from shared.delivery.postgres import Session
from shared.events.erasure import ErasureReceiptEvent
from shared.ids import new_id
from shared.privacy.names import PEOPLE
from shared.topics import Topic

TENANT = "SELECT set_config('app.tenant_id', $1, true)"
OWN_NUMBER = "SELECT pg_current_xact_id()::text::bigint"
OLDEST_WRITER = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
NEXT_NUMBER = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
"""All that was committed has a smaller number, unless it comes from a dump of another server."""
ON_DISK = "SET LOCAL synchronous_commit = on"

Key = tuple[str, UUID, str]
"""Tenant, erasure, store."""


class Task(NamedTuple):
    """What one service has to do in one store for an erasure."""

    tenant_id: str
    erasure_id: UUID
    service: str
    store: str
    mode: str
    kind: str
    subject: Mapping[str, str]
    """Value by field; of people the pseudonym."""
    since: datetime | None
    before: datetime
    removed: int
    position: Mapping[str, Any]
    """How far the service is, in its own words."""
    seen_xid: int | None

    @property
    def with_units(self) -> bool:
        """Whether units of A/B tests that did the erased operations are the erased person."""
        return self.since is None and self.subject.keys() <= PEOPLE


async def open_tasks(connection: Session, service: str) -> list[Key]:
    """Tasks of a service, of all tenants, the oldest erasure first."""
    rows = await connection.fetch("SELECT * FROM open_erasure_tasks($1)", service)
    return [(row[0], row[1], row[2]) for row in rows]


async def locked(connection: Session, service: str, key: Key) -> Task | None:
    """A task that nobody else works at until the transaction ends; `None` when it is not open."""
    tenant_id, erasure_id, store = key
    await connection.execute(TENANT, tenant_id)
    row = await connection.fetchrow(
        """
        SELECT e.mode, e.kind, e.subject, e.erased_from, e.erased_before, coalesce(r.removed, 0),
               r.position, r.seen_xid
          FROM erasure_receipts AS r JOIN erasures AS e USING (tenant_id, erasure_id)
         WHERE r.tenant_id = $1 AND r.erasure_id = $2 AND r.service = $3 AND r.store = $4
           AND r.at IS NULL AND e.subject IS NOT NULL
           FOR UPDATE OF r SKIP LOCKED
        """,
        *(tenant_id, erasure_id, service, store),
    )
    if row is None:
        return None
    mode, kind, subject, since, before, removed, position, seen_xid = row
    return Task(
        *(tenant_id, erasure_id, service, store, mode, kind, from_json(subject)),
        *(since, before, removed, from_json(position), seen_xid),
    )


async def begin(connection: Session, task: Task) -> None:
    """From here on whoever begins sees the mark, and what was committed by now."""
    await connection.execute(
        "UPDATE erasures SET status = 'running'"
        " WHERE tenant_id = $1 AND erasure_id = $2 AND status = 'pending'",
        *task[:2],
    )
    number = await connection.fetchval(OWN_NUMBER)
    await _update(connection, task, "seen_xid = $5", number)


async def is_known(connection: Session, number: int) -> bool:
    """Whether a stored number is this server's; else it says nothing, and another is taken."""
    return bool(number < await connection.fetchval(NEXT_NUMBER))


async def is_settled(connection: Session, seen_xid: int) -> bool:
    """Whether all have ended that may not have seen what was committed before that number."""
    return bool(await connection.fetchval(OLDEST_WRITER) >= seen_xid)


async def moved(connection: Session, task: Task, removed: int, position: Mapping[str, Any]) -> None:
    """A portion is done."""
    await _update(
        connection, task, "removed = coalesce(removed, 0) + $5, position = $6",
        removed, to_json(position).decode(),
    )  # fmt: skip


async def finish(
    connection: Session, task: Task, removed: int | None, until: datetime | None = None
) -> None:
    """Write the receipt, and tell it; the last one completes the erasure and forgets who it was."""
    key = task[:2]
    await connection.execute(ON_DISK)  # what is told must last
    await connection.execute(
        "SELECT 1 FROM erasures WHERE tenant_id = $1 AND erasure_id = $2 FOR UPDATE", *key
    )
    at = await connection.fetchval("SELECT clock_timestamp()")
    await _update(
        connection, task, "removed = $5::bigint, until = $6, at = $7, position = '{}'",
        removed, until, at,
    )  # fmt: skip
    event = ErasureReceiptEvent(
        event_id=new_id(),
        tenant_id=task.tenant_id,
        occurred_at=at,
        erasure_id=task.erasure_id,
        service=task.service,
        store=task.store,
        removed=removed,
        until=until,
    )
    await tell(connection, Topic.ERASURE_RECEIPTS, str(task.erasure_id), event)
    await connection.execute(
        """
        UPDATE erasures AS e SET status = 'completed', completed_at = $3, subject = NULL
         WHERE tenant_id = $1 AND erasure_id = $2
           AND NOT EXISTS (SELECT FROM erasure_receipts AS r WHERE r.tenant_id = e.tenant_id
                              AND r.erasure_id = e.erasure_id AND r.at IS NULL)
        """,
        *(*key, at),
    )


async def tell(connection: Session, topic: Topic, key: str, event: Any) -> None:
    """Keep an event with what it tells; a gateway publishes it from there."""
    await connection.execute(
        """
        INSERT INTO erasure_events (tenant_id, event_id, topic, record_key, occurred_at, body)
        VALUES ($1, $2, $3, $4, $5, $6)
        """,
        *(event.tenant_id, event.event_id, topic.value, key, event.occurred_at),
        event.model_dump_json(),
    )


async def is_answered(connection: Session, task: Task, service: str, store: str) -> bool:
    """Whether another service has given its receipt for a store, or was not asked for one."""
    waits = await connection.fetchval(
        """
        SELECT EXISTS (SELECT FROM erasure_receipts WHERE tenant_id = $1 AND erasure_id = $2
                          AND service = $3 AND store = $4 AND at IS NULL)
        """,
        *(*task[:2], service, store),
    )
    return not waits


async def _update(connection: Session, task: Task, changes: str, *values: object) -> None:
    await connection.execute(
        f"UPDATE erasure_receipts SET {changes} WHERE tenant_id = $1 AND erasure_id = $2"
        " AND service = $3 AND store = $4",
        *(*task[:4], *values),
    )
