"""SQL of exports of a person's data: what is asked for, how far it is, and portions of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import Record
from pydantic_core import to_json

from services.gateway.domain.subject_exports import KEPT_FOR, AskedExport
from services.gateway.queries.subject_classes import Follow, Named, Walk
from shared.delivery.postgres import Session

WITHIN_S = 5.0
BEGIN = ("", -1, -(2**62))
"""Before all dead letters."""
_COLUMNS = (
    "export_id, subject, subject_hash, status, known, position, created_at, created_by,"
    " completed_at, expires_at"
)


async def count_open(connection: Session, tenant_id: str) -> int:
    """How many of a tenant are being made."""
    return int(
        await connection.fetchval(
            "SELECT count(*) FROM subject_exports"
            " WHERE tenant_id = $1 AND status IN ('pending', 'running', 'clearing')",
            tenant_id,
        )
    )


async def insert(
    connection: Session, tenant_id: str, asked: AskedExport, known: dict[str, Any]
) -> None:
    """Keep what was asked for, and what could be found by the name."""
    await connection.execute(
        """
        INSERT INTO subject_exports (tenant_id, export_id, subject, subject_hash, known, created_at,
                                     created_by, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """,
        *(tenant_id, asked.export_id, asked.subject, asked.subject_hash),
        *(to_json(known).decode(), asked.now, asked.created_by, asked.now + KEPT_FOR),
    )


async def reviews_by(
    connection: Session, tenant_id: str, reviewer: str, most: int
) -> Sequence[Record]:
    """Places that somebody took in review queues: there they are known by their name."""
    return await connection.fetch(
        """
        SELECT queue_id, operation_id, place FROM review_takes
         WHERE tenant_id = $1 AND reviewer = $2 ORDER BY 1, 2, 3 LIMIT $3
        """,
        *(tenant_id, reviewer, most),
    )


async def reviews_at(
    connection: Session, tenant_id: str, places: Sequence[Sequence[Any]]
) -> Sequence[Record]:
    """Reviews by their places, as lines."""
    queues, operations, numbers = zip(*places, strict=True)
    return await connection.fetch(
        """
        SELECT t.operation_id, (to_jsonb(t) - 'reviewer')::text AS line
          FROM unnest($2::uuid[], $3::text[], $4::integer[]) AS k (queue_id, operation_id, place)
          JOIN review_takes AS t USING (queue_id, operation_id, place)
         WHERE t.tenant_id = $1
        """,
        *(tenant_id, [UUID(str(one)) for one in queues], operations, numbers),
    )


async def letters(
    connection: Session,
    after: Sequence[Any],
    needles: Sequence[bytes] | None,
    most: int,
) -> Sequence[Record]:
    """Dead letters that may be the running tenant's, in the order of their places."""
    return await connection.fetch(
        "SELECT * FROM tenant_dead_letters($1, $2, $3, $4, $5)", *after, needles, most
    )


async def get(connection: Session, tenant_id: str, export_id: UUID) -> Record | None:
    """One export that is still kept."""
    return await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM subject_exports"
        " WHERE tenant_id = $1 AND export_id = $2 AND expires_at > now()",
        *(tenant_id, export_id),
    )


async def open_exports(connection: Session) -> Sequence[Record]:
    """Exports of all tenants that are to be made, oldest first."""
    return await connection.fetch("SELECT * FROM open_subject_exports()", timeout=WITHIN_S)


async def ended_exports(connection: Session) -> Sequence[Record]:
    """Exports of all tenants that are to be deleted."""
    return await connection.fetch("SELECT * FROM ended_subject_exports()", timeout=WITHIN_S)


async def locked(connection: Session, tenant_id: str, export_id: UUID) -> Record | None:
    """An export that nobody else makes until the transaction ends; `None`: it is not to be made.

    Whoever erases waits for this lock, and sees afterwards what was written under it.
    """
    return await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM subject_exports WHERE tenant_id = $1 AND export_id = $2"
        " AND status IN ('pending', 'running') AND expires_at > now() FOR UPDATE SKIP LOCKED",
        *(tenant_id, export_id),
    )


async def add_part(
    connection: Session,
    key: tuple[str, UUID, int],
    name: str,
    found: tuple[Sequence[str], set[str]],
) -> None:
    """Keep a portion: its lines, and the operations that they name."""
    lines, operations = found
    body = "".join(f"{line}\n" for line in lines).encode()
    await connection.execute(
        """
        INSERT INTO subject_export_parts (tenant_id, export_id, seq, class, lines, operations, body)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        *(*key, name, len(lines), sorted(operations), body),
    )


async def moved(
    connection: Session, tenant_id: str, export_id: UUID, position: dict[str, Any] | None
) -> None:
    """A portion is done; without a position, all are."""
    await connection.execute(
        """
        UPDATE subject_exports
           SET status = CASE WHEN $3::jsonb IS NULL THEN 'ready' ELSE 'running' END,
               completed_at = CASE WHEN $3 IS NULL THEN clock_timestamp() END,
               expires_at = CASE WHEN $3 IS NULL THEN clock_timestamp() + $4 ELSE expires_at END,
               position = coalesce($3, '{}')
         WHERE tenant_id = $1 AND export_id = $2
        """,
        *(tenant_id, export_id),
        *(None if position is None else to_json(position).decode(), KEPT_FOR),
    )


async def operations_of(
    connection: Session, tenant_id: str, export_id: UUID, name: str, after: int
) -> Record | None:
    """The next part of a class, and the operations that it names."""
    return await connection.fetchrow(
        """
        SELECT seq, operations FROM subject_export_parts
         WHERE tenant_id = $1 AND export_id = $2 AND class = $3 AND seq > $4 ORDER BY seq LIMIT 1
        """,
        *(tenant_id, export_id, name, after),
    )


async def low(
    connection: Session, table: str, tenant_id: str, at: datetime, rows: int
) -> datetime | None:
    """The time of the row that stands so many rows before an instant."""
    found: datetime | None = await connection.fetchval(
        f"SELECT occurred_at FROM {table} WHERE tenant_id = $1 AND occurred_at < $2"
        " ORDER BY occurred_at DESC OFFSET $3 LIMIT 1",
        *(tenant_id, at, rows),
    )
    return found


async def walked(
    connection: Session,
    walk: Walk,
    of: tuple[str, str],
    span: tuple[datetime, UUID, datetime | None],
    most: int,
) -> Sequence[Record]:
    """Rows of a person, newest first, before a place and not before an instant."""
    return await connection.fetch(
        f"""
        SELECT t.occurred_at, t.event_id, t.operation_id, (to_jsonb(t) - $6::text[])::text AS line
          FROM {walk.table} AS t
         WHERE t.tenant_id = $1 AND t.user_pseudonym = $2 AND (t.occurred_at, t.event_id) < ($3, $4)
           AND ($5::timestamptz IS NULL OR t.occurred_at >= $5)
         ORDER BY t.occurred_at DESC, t.event_id DESC LIMIT $7
        """,
        *(*of, *span, walk.without, most),
    )


async def followed(
    connection: Session,
    follow: Follow,
    of: tuple[str, str],
    operations: Sequence[str],
    page: tuple[Sequence[str], int],
) -> Sequence[Record]:
    """Rows of some operations after a place."""
    (operation, key), most = page
    named = f"{follow.operation} = ANY($3)" if follow.operation != "''" else "true"
    return await connection.fetch(
        f"""
        SELECT * FROM (
            SELECT {follow.operation} AS operation_id, {follow.key} AS key,
                   (({follow.line}) - $4::text[])::text AS line
              FROM {follow.table} AS t
             WHERE t.tenant_id = $1 AND $2::text IS NOT NULL AND $3::text[] IS NOT NULL
               AND {named} AND {follow.where}) AS found
         WHERE (operation_id, key) > ($5, $6) ORDER BY operation_id, key LIMIT $7
        """,
        *(*of, operations, follow.without, operation, key, most),
    )


async def named(
    connection: Session, one: Named, of: tuple[str, str, str], page: tuple[str, int]
) -> Sequence[Record]:
    """Rows of a person after a key. `of`: tenant, pseudonym, and the hash of its erasures."""
    (tenant_id, subject, subject_hash), (after, most) = of, page
    return await connection.fetch(
        f"""
        SELECT * FROM (
            SELECT {one.key} AS key, (({one.line}) - $3::text[])::text AS line
              FROM {one.table} AS t
             WHERE t.tenant_id = $1 AND $2::text IS NOT NULL AND $4::text IS NOT NULL
               AND {one.where}) AS found
         WHERE key > $5 ORDER BY key LIMIT $6
        """,
        *(tenant_id, subject, one.without, subject_hash, after, most),
    )


async def parts(connection: Session, tenant_id: str, export_id: UUID) -> Sequence[Record]:
    """Which parts there are, in their order."""
    return await connection.fetch(
        "SELECT seq, class, lines FROM subject_export_parts"
        " WHERE tenant_id = $1 AND export_id = $2 ORDER BY seq",
        *(tenant_id, export_id),
    )


async def part(connection: Session, tenant_id: str, export_id: UUID, seq: int) -> bytes | None:
    """A part of an export that is ready; `None` when it is not any more."""
    found: bytes | None = await connection.fetchval(
        """
        SELECT p.body
          FROM subject_export_parts AS p JOIN subject_exports AS e USING (tenant_id, export_id)
         WHERE p.tenant_id = $1 AND p.export_id = $2 AND p.seq = $3 AND e.status = 'ready'
        """,
        *(tenant_id, export_id, seq),
    )
    return found


async def remove_parts(
    connection: Session, tenant_id: str, exports: Sequence[UUID], most: int
) -> int:
    """Remove a portion of the parts of some exports; answers how many."""
    done = await connection.execute(
        """
        DELETE FROM subject_export_parts AS p USING (
            SELECT tenant_id, export_id, seq FROM subject_export_parts
             WHERE tenant_id = $1 AND export_id = ANY($2) LIMIT $3) AS few
         WHERE p.tenant_id = few.tenant_id AND p.export_id = few.export_id AND p.seq = few.seq
        """,
        *(tenant_id, exports, most),
    )
    return int(done.split()[-1])


async def remove(connection: Session, tenant_id: str, export_id: UUID) -> None:
    """Remove an export that has no parts any more."""
    await connection.execute(
        "DELETE FROM subject_exports"
        " WHERE tenant_id = $1 AND export_id = $2 AND expires_at <= now()",
        *(tenant_id, export_id),
    )


async def lock_all(connection: Session, tenant_id: str) -> None:
    """Nobody makes an export of a tenant until the transaction ends."""
    await connection.execute(
        "SELECT export_id FROM subject_exports WHERE tenant_id = $1 ORDER BY export_id FOR UPDATE",
        tenant_id,
    )


async def erase_those_of(
    connection: Session, tenant_id: str, subject: str, before: datetime
) -> list[UUID]:
    """Exports of somebody from before an instant know nobody any more."""
    rows = await connection.fetch(
        """
        UPDATE subject_exports SET status = 'erased', subject = NULL, known = '{}', position = '{}',
                                   completed_at = NULL
         WHERE tenant_id = $1 AND subject = $2 AND created_at <= $3 RETURNING export_id
        """,
        *(tenant_id, subject, before),
    )
    return [row[0] for row in rows]


async def clear(
    connection: Session, tenant_id: str, subject: str | None, operation_id: str | None
) -> list[UUID]:
    """Let exports be made anew, once their parts are gone: of somebody, or that name an operation,
    or all."""
    rows = await connection.fetch(
        """
        UPDATE subject_exports AS e SET status = 'clearing', position = '{}', completed_at = NULL
         WHERE tenant_id = $1 AND status <> 'erased' AND ($2::text IS NULL OR subject = $2)
           AND ($3::text IS NULL OR e.status <> 'ready' OR EXISTS (
                SELECT FROM subject_export_parts AS p WHERE p.tenant_id = e.tenant_id
                   AND p.export_id = e.export_id AND $3 = ANY(p.operations)))
        RETURNING export_id
        """,
        *(tenant_id, subject, operation_id),
    )
    return [row[0] for row in rows]


async def cleared(connection: Session, tenant_id: str, exports: Sequence[UUID]) -> None:
    """These have no parts any more, and can be made anew, of what there still is."""
    await connection.execute(
        """
        UPDATE subject_exports AS e
           SET status = 'pending',
               known = jsonb_set(known, '{reviews}', (
                   SELECT coalesce(jsonb_agg(r), '[]')
                     FROM jsonb_array_elements(e.known -> 'reviews') AS r
                     JOIN review_takes AS t ON t.tenant_id = e.tenant_id
                      AND t.queue_id = (r ->> 0)::uuid AND t.operation_id = r ->> 1
                      AND t.place = (r ->> 2)::integer))
         WHERE tenant_id = $1 AND export_id = ANY($2) AND status = 'clearing'
        """,
        *(tenant_id, exports),
    )
