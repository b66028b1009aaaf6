"""SQL of channels, silences, and what was told to whom."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import Record

from services.gateway.domain.cursor import Cursor
from services.gateway.queries.alerts import ALERT
from services.gateway.queries.objects import Table
from shared.delivery.postgres import Session
from shared.notifications.channel import Channel

CHANNEL = "channel_id, name, type, url, send_resolved, created_at, created_by"
SILENCE = "silence_id, matchers, starts_at, ends_at, comment, created_at, created_by"
CHANNELS = Table("notification_channels", "channel_id", CHANNEL)
SILENCES = Table("silences", "silence_id", SILENCE)
DELIVERY = """
    delivery_id, channel_id, kind, alert_id, step, alert_state, severity, state, reason, status,
    attempts, due_at, created_at, finished_at
"""

Row = Record


async def known_channels(
    connection: Session, tenant_id: str, wanted: Collection[UUID]
) -> set[UUID]:
    """Those of some ids that are channels."""
    rows = await connection.fetch(
        """
        SELECT channel_id FROM notification_channels
         WHERE tenant_id = $1 AND channel_id = ANY($2)
        """,
        tenant_id,
        list(wanted),
    )
    return {row[0] for row in rows}


async def count_channels(connection: Session, tenant_id: str) -> int:
    """How many channels a tenant has."""
    count = await connection.fetchval(
        "SELECT count(*) FROM notification_channels WHERE tenant_id = $1", tenant_id
    )
    return int(count)


async def insert_channel(
    connection: Session, tenant_id: str, channel_id: UUID, made: Channel, actor: str
) -> Row:
    """Keep a new channel; a name that is taken violates a constraint."""
    row = await connection.fetchrow(
        f"""
        INSERT INTO notification_channels
            (tenant_id, channel_id, name, type, url, secret, send_resolved, created_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING {CHANNEL}
        """,
        tenant_id,
        channel_id,
        *(made.name, made.type, made.url, made.secret, made.send_resolved, actor),
    )
    assert row is not None  # noqa: S101 - an insert returns its row
    return row


async def insert_test(
    connection: Session, tenant_id: str, channel_id: UUID, delivery_id: UUID, at: datetime
) -> None:
    """Ask notify to send a test."""
    await connection.execute(
        """
        INSERT INTO notification_deliveries
            (tenant_id, channel_id, delivery_id, kind, step, body, state, due_at, occurred_at)
        VALUES ($1, $2, $3, 'test', 0, '{}', 'pending', now(), $4)
        """,
        tenant_id,
        channel_id,
        delivery_id,
        at,
    )


async def delivery(connection: Session, tenant_id: str, delivery_id: UUID) -> Row | None:
    """One delivery."""
    return await connection.fetchrow(
        f"SELECT {DELIVERY} FROM notification_deliveries WHERE tenant_id = $1 AND delivery_id = $2",
        tenant_id,
        delivery_id,
    )


async def deliveries(
    connection: Session, tenant_id: str, channel_id: UUID, after: Cursor | None, limit: int
) -> Sequence[Row]:
    """What was told to a channel, newest first."""
    return await connection.fetch(
        f"""
        SELECT {DELIVERY} FROM notification_deliveries
         WHERE tenant_id = $1 AND channel_id = $2
           AND ($3::timestamptz IS NULL OR (created_at, delivery_id) < ($3, $4::uuid))
         ORDER BY created_at DESC, delivery_id DESC LIMIT $5
        """,
        tenant_id,
        channel_id,
        *(after or (None, None)),
        limit,
    )


async def count_live_silences(connection: Session, tenant_id: str) -> int:
    """How many silences of a tenant have not ended."""
    count = await connection.fetchval(
        "SELECT count(*) FROM silences WHERE tenant_id = $1 AND ends_at > now()", tenant_id
    )
    return int(count)


async def insert_silence(connection: Session, tenant_id: str, values: Sequence[Any]) -> Row:
    """Keep a silence: its id, matchers, start, end, comment and maker."""
    row = await connection.fetchrow(
        f"""
        INSERT INTO silences
            (tenant_id, silence_id, matchers, starts_at, ends_at, comment, created_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING {SILENCE}
        """,
        tenant_id,
        *values,
    )
    assert row is not None  # noqa: S101 - an insert returns its row
    return row


async def live_alerts(connection: Session, tenant_id: str, most: int) -> Sequence[Row]:
    """Alerts that have not ended, newest first."""
    return await connection.fetch(
        f"""
        SELECT {ALERT} FROM performance_alerts
         WHERE tenant_id = $1 AND state <> 'resolved'
         ORDER BY started_at DESC, alert_id DESC LIMIT $2
        """,
        tenant_id,
        most,
    )
