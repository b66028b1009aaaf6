"""SQL of planning: who listens, and what is to be told."""

from collections.abc import Collection

from services.notify.domain.delivery import State
from services.notify.domain.messages.message import word_of
from services.notify.domain.planning import Listener, Planned
from shared.delivery.postgres import Session
from shared.events.alert import AlertEvent
from shared.events.experiment import ExperimentEvent


async def listeners(connection: Session, tenants: Collection[str]) -> list[Listener]:
    """Channels of tenants."""
    rows = await connection.fetch(
        """
        SELECT tenant_id, channel_id, created_at FROM notification_channels
         WHERE tenant_id = ANY($1)
        """,
        list(tenants),
    )
    return [Listener(*row) for row in rows]


async def insert(connection: Session, one: Planned) -> None:
    """Keep a delivery if it is new; earlier ones of the same thing are not the last any more."""
    if isinstance(one.event, ExperimentEvent):
        await _insert_step_of_test(connection, one, one.event)
    else:
        await _insert_step_of_alert(connection, one, one.event)


async def _insert_step_of_test(connection: Session, one: Planned, event: ExperimentEvent) -> None:
    identity = (event.tenant_id, one.channel_id, one.delivery_id)
    done = await connection.fetchval(
        """
        INSERT INTO notification_deliveries (tenant_id, channel_id, delivery_id, kind, alert_id,
            step, alert_state, body, state, due_at, occurred_at)
        SELECT $1, $2, $3, 'experiment', $4, 0, $5, $6, $7, now(), $8
          FROM notification_channels AS c WHERE tenant_id = $1 AND channel_id = $2
           FOR KEY SHARE OF c
        ON CONFLICT (tenant_id, delivery_id) DO NOTHING RETURNING true
        """,
        *identity,
        *(event.test_id, word_of(event), event.model_dump_json(), State.PENDING),
        event.occurred_at,
    )
    if done:
        await connection.execute(
            """
            UPDATE notification_deliveries SET is_last = false
             WHERE tenant_id = $1 AND channel_id = $2 AND delivery_id <> $3 AND alert_id = $4
               AND is_last
            """,
            *identity,
            event.test_id,
        )


async def _insert_step_of_alert(connection: Session, one: Planned, event: AlertEvent) -> None:
    """Keep a step of an alert.

    A channel that is removed meanwhile takes nothing, nor does one that never heard of the alert
    take how it went on.
    """
    identity = (event.tenant_id, one.channel_id, one.delivery_id)
    done = await connection.fetchval(
        """
        INSERT INTO notification_deliveries (tenant_id, channel_id, delivery_id, kind, alert_id,
            step, alert_state, severity, body, state, due_at, occurred_at)
        SELECT $1, $2, $3, 'alert', $4, $5, $6, $7, $8, $9, now(), $10
          FROM notification_channels AS c WHERE tenant_id = $1 AND channel_id = $2
           AND ($6 = 'firing' OR EXISTS (SELECT FROM notification_deliveries AS d
                                          WHERE d.tenant_id = $1 AND d.channel_id = $2
                                            AND d.alert_id = $4))
           FOR KEY SHARE OF c
        ON CONFLICT (tenant_id, delivery_id) DO NOTHING RETURNING true
        """,
        *identity,
        *(event.alert_id, event.step, event.state, event.severity, event.model_dump_json()),
        *(State.PENDING, event.occurred_at),
    )
    if done:
        # Alertmanager is reminded of what it was told until it hears something else.
        await connection.execute(
            """
            UPDATE notification_deliveries SET is_last = false,
                   due_at = CASE WHEN state = 'delivered' AND $5 THEN NULL ELSE due_at END
             WHERE tenant_id = $1 AND channel_id = $2 AND delivery_id <> $3 AND alert_id = $4
               AND is_last
            """,
            *identity,
            event.alert_id,
            event.state == "resolved",
        )
