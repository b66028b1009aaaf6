"""Look at dead letters, and send them through again once their cause is gone."""

import asyncio
import json
from base64 import b64decode
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import asyncpg
from aiokafka import AIOKafkaProducer

from deploy.jobs.auditing import record_for
from shared.audit.chain import Entry
from shared.audit.recorder import Recorder
from shared.delivery.postgres import Session
from shared.kafka_errors import refusals_explained
from shared.kafka_settings import Connection
from shared.topics import MAX_RECORD_BYTES

COLUMNS = (
    "topic, partition, kafka_offset, reason, detail, tenant_id, record_key, record_value,"
    " record_headers, record_timestamp, first_seen_at, redriven_at"
)


class Selection(NamedTuple):
    """Which dead letters are meant; `None` = any."""

    key: str | None = None
    reason: str | None = None
    topic: str | None = None
    waiting_only: bool = False


class Broker(NamedTuple):
    """Where letters go to."""

    kafka: Connection
    idempotence: bool


async def find(dsn: str, selection: Selection, limit: int) -> list[dict[str, Any]]:
    """Dead letters, newest first; `dsn` is the owner's."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            f"""
            SELECT {COLUMNS} FROM dead_letters
             WHERE ($1::text IS NULL
                    OR topic || ':' || partition || ':' || kafka_offset = $1)
               AND ($2::text IS NULL OR reason = $2) AND ($3::text IS NULL OR topic = $3)
               AND (NOT $4 OR redriven_at IS NULL)
             ORDER BY first_seen_at DESC, topic, partition, kafka_offset DESC LIMIT $5
            """,
            *selection,
            limit,
        )
    finally:
        await connection.close()
    return [{"key": _key(row), **dict(row)} for row in rows]


async def read(dsn: str, key: str, audit: Recorder) -> dict[str, Any] | None:
    """One dead letter with its bytes, once the audit log knows that somebody reads them."""
    found = await find(dsn, Selection(key), 1)
    if not found:
        return None
    letter = found[0]
    done = Entry("dead_letter.read", "dead_letter", key, {"reason": letter["reason"]})
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await record_for(connection, audit, letter["tenant_id"], done)
    finally:
        await connection.close()
    return letter


async def redrive(
    dsn: str,
    letters: list[dict[str, Any]],
    on_sent: Callable[[int], None],
    to: "Broker",
    audit: Recorder,
) -> int:
    """Publish the original bytes again; the event's id stays, so nothing is counted twice.

    One whose content was not kept has none to send.
    """
    letters = [letter for letter in letters if letter["record_value"] is not None]
    producer = AIOKafkaProducer(
        **to.kafka,
        acks="all",
        enable_idempotence=to.idempotence,
        max_request_size=MAX_RECORD_BYTES,
    )
    connection = await asyncpg.connect(dsn)
    try:
        async with refusals_explained(to.kafka), producer:
            for sent, letter in enumerate(letters, 1):
                async with asyncio.timeout(10):
                    await producer.send_and_wait(
                        letter["topic"],
                        letter["record_value"],
                        key=letter["record_key"],
                        headers=_headers(letter),
                    )
                async with connection.transaction():
                    await _mark(connection, letter, audit)
                on_sent(sent)
    finally:
        await connection.close()
    return len(letters)


async def _mark(connection: Session, letter: dict[str, Any], audit: Recorder) -> None:
    await connection.execute(
        "UPDATE dead_letters SET redriven_at = now()"
        " WHERE topic = $1 AND partition = $2 AND kafka_offset = $3",
        letter["topic"],
        letter["partition"],
        letter["kafka_offset"],
    )
    done = Entry(
        "dead_letter.redrive",
        "dead_letter",
        letter["key"],
        {"reason": letter["reason"], "redriven_at": letter["redriven_at"]},
    )
    # What a letter says of its tenant is what somebody wrote.
    await record_for(connection, audit, letter["tenant_id"], done)


def shown(letter: dict[str, Any]) -> dict[str, Any]:
    """A dead letter as lists show it: no content."""
    first_seen_at: datetime = letter["first_seen_at"]
    return {
        "key": letter["key"],
        "topic": letter["topic"],
        "partition": letter["partition"],
        "offset": letter["kafka_offset"],
        "reason": letter["reason"],
        "detail": letter["detail"],
        "first_seen_at": first_seen_at.isoformat(),
        "redriven_at": letter["redriven_at"],
    }


def _key(row: Any) -> str:
    return f"{row['topic']}:{row['partition']}:{row['kafka_offset']}"


def _headers(letter: dict[str, Any]) -> list[tuple[str, bytes]]:
    """Headers that can be sent again, and where the record comes from."""
    stored = json.loads(letter["record_headers"])
    kept = [(name, b64decode(value)) for name, value in stored if value is not None]
    return [*kept, ("x-redrive-of", letter["key"].encode())]
