"""SQL of dead letters: kept as rows, then published from there."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from services.ingest.domain.dead import DeadLetter
from shared.delivery.postgres import Session


class Unpublished(NamedTuple):
    """A dead letter that its topic has not seen yet."""

    topic: str
    partition: int
    kafka_offset: int
    reason: str
    detail: str
    first_seen_at: datetime
    record_value: bytes | None


async def insert_dead_letters(connection: Session, letters: Sequence[DeadLetter]) -> None:
    """Keep what could not be read; a record dies once."""
    await connection.executemany(
        """
        INSERT INTO dead_letters (topic, partition, kafka_offset, reason, detail, tenant_id,
                                  record_key, record_value, record_headers, record_timestamp)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (topic, partition, kafka_offset) DO NOTHING
        """,
        letters,
    )


async def try_relay_lock(connection: Session) -> bool:
    """Be the only relay until the transaction ends."""
    return bool(
        await connection.fetchval("SELECT pg_try_advisory_xact_lock(hashtext('assay.dlq.relay'))")
    )


async def unpublished(connection: Session, most: int) -> list[Unpublished]:
    """The oldest dead letters that no topic has seen."""
    rows = await connection.fetch(
        """
        SELECT topic, partition, kafka_offset, reason, detail, first_seen_at, record_value
          FROM dead_letters WHERE published_at IS NULL ORDER BY first_seen_at LIMIT $1
        """,
        most,
    )
    return [Unpublished(*row) for row in rows]


async def mark_published(connection: Session, letters: Sequence[Unpublished]) -> None:
    """Remember that the broker has acknowledged these."""
    await connection.executemany(
        """
        UPDATE dead_letters SET published_at = now()
         WHERE topic = $1 AND partition = $2 AND kafka_offset = $3
        """,
        [letter[:3] for letter in letters],
    )
