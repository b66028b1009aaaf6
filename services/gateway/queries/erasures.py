"""SQL of erasures as they are asked for, and of those that nobody has finished in time."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from asyncpg import Record
from pydantic_core import to_json

from services.gateway.domain.erasures import RECEIPTS, Asked
from services.gateway.queries.objects import Table
from shared.delivery.columns import columns_of
from shared.delivery.postgres import Session

WITHIN_S = 5.0
ERASURES = Table(
    "erasures",
    "erasure_id",
    "erasure_id, mode, kind, subject_hash, status, erased_before, deadline, created_at, created_by,"
    " completed_at",
)


async def one_mark_at_a_time(connection: Session) -> None:
    """Marks become visible in the order of their numbers: consumers ask for the highest only."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext('assay.erasure-marks'))")


async def count_open(connection: Session, tenant_id: str) -> int:
    """How many erasures of a tenant are under way."""
    return int(
        await connection.fetchval(
            "SELECT count(*) FROM erasures"
            " WHERE tenant_id = $1 AND status IN ('pending', 'running')",
            tenant_id,
        )
    )


async def insert(connection: Session, tenant_id: str, asked: Asked) -> None:
    """Keep an erasure, its mark, and which stores are to answer."""
    await connection.execute(
        """
        INSERT INTO erasures (tenant_id, erasure_id, mode, kind, subject, subject_hash, erased_from,
                              erased_before, deadline, created_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        """,
        *(tenant_id, asked.erasure_id, asked.mode, asked.kind, to_json(asked.subject).decode()),
        *(asked.subject_hash, asked.since, asked.before, asked.deadline, asked.created_by),
    )
    await connection.execute(
        """
        INSERT INTO erased_subjects (tenant_id, erasure_id, names, erased_from, erased_before)
        VALUES ($1, $2, $3, $4, $5)
        """,
        *(tenant_id, asked.erasure_id, to_json(asked.marked).decode(), asked.since, asked.before),
    )
    await connection.execute(
        """
        INSERT INTO erasure_receipts (tenant_id, erasure_id, service, store)
        SELECT $1, $2, * FROM unnest($3::text[], $4::text[])
        """,
        *(tenant_id, asked.erasure_id, *columns_of(RECEIPTS, 2)),
    )


async def letters(connection: Session, needles: Sequence[bytes]) -> int:
    """Remove dead letters in which a name stands; answers how many."""
    return int(await connection.fetchval("SELECT erase_dead_letters($1)", needles))


async def count_letters(
    connection: Session, tenant_id: str, erasure_id: UUID, removed: int
) -> None:
    """They are ingest's rows."""
    await connection.execute(
        "UPDATE erasure_receipts SET removed = $3 WHERE tenant_id = $1 AND erasure_id = $2"
        " AND service = 'ingest' AND store = 'postgres'",
        *(tenant_id, erasure_id, removed),
    )


async def remove_takes(connection: Session, tenant_id: str, reviewer: str) -> None:
    """Remove what a reviewer took and said in review queues: they are known there by their name."""
    await connection.execute(
        "DELETE FROM review_takes WHERE tenant_id = $1 AND reviewer = $2", tenant_id, reviewer
    )


async def remove_items(connection: Session, tenant_id: str, operations: Sequence[str]) -> int:
    """Remove operations from review queues, with what was said of them there."""
    done = await connection.execute(
        "DELETE FROM review_items WHERE tenant_id = $1 AND operation_id = ANY($2)",
        *(tenant_id, operations),
    )
    return int(done.split()[-1])


async def receipts(connection: Session, tenant_id: str, erasure_id: UUID) -> Sequence[Record]:
    """What stores have answered, and which have not."""
    return await connection.fetch(
        """
        SELECT service, store, removed, until, at FROM erasure_receipts
         WHERE tenant_id = $1 AND erasure_id = $2 ORDER BY at NULLS LAST, service, store
        """,
        *(tenant_id, erasure_id),
    )


async def late(connection: Session) -> Sequence[Record]:
    """Erasures of all tenants that lack a receipt after their deadline."""
    return await connection.fetch("SELECT * FROM late_erasures()", timeout=WITHIN_S)


async def try_relay_lock(connection: Session) -> bool:
    """Whether no other gateway tells of erasures right now; held until the transaction ends."""
    return bool(
        await connection.fetchval(
            "SELECT pg_try_advisory_xact_lock(hashtext('assay.erasure-events'))"
        )
    )


async def untold(connection: Session, most: int) -> Sequence[Any]:
    """Events of all tenants that are to be told, oldest first."""
    return await connection.fetch("SELECT * FROM untold_erasure_events($1)", most, timeout=WITHIN_S)


async def mark_told(connection: Session, tenant_id: str, events: Sequence[UUID]) -> None:
    """Events that the broker has."""
    await connection.execute(
        "UPDATE erasure_events SET published_at = now()"
        " WHERE tenant_id = $1 AND event_id = ANY($2)",
        *(tenant_id, events),
    )
