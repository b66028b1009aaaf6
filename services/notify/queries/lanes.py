"""SQL of sending: whose turn it is, what is due there, and what became of it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import Record
from pydantic_core import from_json

from services.notify.domain.deciding import Quiet
from services.notify.domain.delivery import Delivery, State, StepEvent
from services.notify.domain.lane import Settled
from shared.delivery.postgres import Session
from shared.events.alert import AlertEvent
from shared.events.experiment import ExperimentEvent

MOST_DUE = 200
EVENTS: dict[str, type[StepEvent]] = {"alert": AlertEvent, "experiment": ExperimentEvent}
# `d` is due, and no earlier step of its alert is still to be told.
READY = """
    d.due_at <= now()
    AND NOT EXISTS (SELECT FROM notification_deliveries AS p
                     WHERE p.tenant_id = d.tenant_id AND p.channel_id = d.channel_id
                       AND p.alert_id = d.alert_id AND p.state IN ('pending', 'sending')
                       AND (p.step, p.occurred_at, p.delivery_id)
                           < (d.step, d.occurred_at, d.delivery_id))
"""
TARGET = "c.tenant_id, c.channel_id, c.name, c.type, c.url, c.secret, c.send_resolved"


async def take(
    connection: Session, holder: UUID, lease_s: float, most: int, crowded: Collection[str]
) -> Sequence[Record]:
    """Hold channels at which something is due, but none of the tenants that have enough."""
    return await connection.fetch(
        f"""
        WITH found AS MATERIALIZED (
            SELECT tenant_id, channel_id FROM notification_channels AS free
             WHERE (held_until IS NULL OR held_until <= now())
               AND (paced_until IS NULL OR paced_until <= now())
               AND NOT tenant_id = ANY($4)
               AND EXISTS (SELECT FROM notification_deliveries AS d
                            WHERE d.tenant_id = free.tenant_id
                              AND d.channel_id = free.channel_id AND {READY})
             ORDER BY held_until NULLS FIRST LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED)
        UPDATE notification_channels AS c
           SET held_by = $1, held_until = clock_timestamp() + make_interval(secs => $2)
          FROM found WHERE c.tenant_id = found.tenant_id AND c.channel_id = found.channel_id
        RETURNING {TARGET}
        """,
        holder,
        lease_s,
        most,
        list(crowded),
    )


async def is_held(connection: Session, place: tuple[str, UUID], holder: UUID) -> bool:
    """Lock a channel's row; false when the channel is not ours any more."""
    found = await connection.fetchval(
        """
        SELECT true FROM notification_channels
         WHERE tenant_id = $1 AND channel_id = $2 AND held_by = $3 FOR NO KEY UPDATE
        """,
        *place,
        holder,
    )
    return bool(found)


async def hold(connection: Session, place: tuple[str, UUID], lease_s: float) -> None:
    """Hold a channel on that is locked already."""
    await connection.execute(
        """
        UPDATE notification_channels
           SET held_until = clock_timestamp() + make_interval(secs => $3)
         WHERE tenant_id = $1 AND channel_id = $2
        """,
        *place,
        lease_s,
    )


async def let_go(connection: Session, place: tuple[str, UUID], holder: UUID, pace_s: float) -> None:
    """Let go of a channel, and let it rest."""
    await connection.execute(
        """
        UPDATE notification_channels
           SET held_by = NULL, held_until = now(), paced_until = now() + make_interval(secs => $4)
         WHERE tenant_id = $1 AND channel_id = $2 AND held_by = $3
        """,
        *place,
        holder,
        pace_s,
    )


async def due(connection: Session, place: tuple[str, UUID]) -> list[Delivery]:
    """Of each alert the first unfinished step, when it is due; and tests."""
    rows = await connection.fetch(
        f"""
        SELECT d.delivery_id, d.state, d.attempts, d.created_at, d.body, d.kind, d.is_last,
               d.released_at,
               EXISTS (SELECT FROM notification_deliveries AS p
                        WHERE p.tenant_id = d.tenant_id AND p.channel_id = d.channel_id
                          AND p.alert_id = d.alert_id AND p.delivery_id <> d.delivery_id
                          AND p.attempts > 0) AS was_told,
               (SELECT p.severity FROM notification_deliveries AS p
                 WHERE p.tenant_id = d.tenant_id AND p.channel_id = d.channel_id
                   AND p.alert_id = d.alert_id AND p.attempts > 0
                   AND p.severity <> d.severity
                   AND (p.step, p.occurred_at) < (d.step, d.occurred_at)
                 ORDER BY p.step DESC, p.occurred_at DESC LIMIT 1) AS past_severity
          FROM notification_deliveries AS d
         WHERE d.tenant_id = $1 AND d.channel_id = $2 AND {READY}
         ORDER BY d.occurred_at, d.step, d.delivery_id LIMIT $3
        """,
        *place,
        MOST_DUE,
    )
    return [_delivery(row) for row in rows]


async def silences(connection: Session, tenant_id: str) -> list[Quiet]:
    """Those of a tenant that hold now."""
    rows = await connection.fetch(
        """
        SELECT silence_id, matchers, starts_at, ends_at FROM silences
         WHERE tenant_id = $1 AND starts_at <= now() AND now() < ends_at
        """,
        tenant_id,
    )
    return [Quiet(row[0], from_json(row[1]), row[2], row[3]) for row in rows]


async def criticals(connection: Session, place: tuple[str, UUID]) -> list[AlertEvent]:
    """Critical alerts that a channel was told of and that go on."""
    rows = await connection.fetch(
        """
        SELECT body FROM notification_deliveries AS d
         WHERE tenant_id = $1 AND channel_id = $2 AND is_last AND severity = 'critical'
           AND alert_state IN ('firing', 'acknowledged')
           AND EXISTS (SELECT FROM notification_deliveries AS p
                        WHERE p.tenant_id = $1 AND p.channel_id = $2 AND p.alert_id = d.alert_id
                          AND p.severity = 'critical' AND p.state IN ('delivered', 'unknown'))
        """,
        *place,
    )
    return [AlertEvent.model_validate_json(row[0]) for row in rows]


async def begin(connection: Session, tenant_id: str, ids: Sequence[UUID]) -> None:
    """Mark deliveries as being sent; one that was delivered is only repeated."""
    await connection.execute(
        """
        UPDATE notification_deliveries
           SET state = CASE WHEN state = 'delivered' THEN state ELSE 'sending' END,
               attempts = attempts + CASE WHEN state = 'delivered' THEN 0 ELSE 1 END,
               released_at = CASE WHEN state IN ('silenced', 'inhibited') THEN now()
                                  ELSE released_at END
         WHERE tenant_id = $1 AND delivery_id = ANY($2)
        """,
        tenant_id,
        ids,
    )


async def settle(connection: Session, tenant_id: str, settled: Sequence[Settled]) -> None:
    """Write down what deliveries are from now on.

    What was told later, or is over, is what counts: nobody is reminded of what came before.
    """
    await connection.executemany(
        """
        UPDATE notification_deliveries AS d
           SET state = $3, reason = $4, status = coalesce($5, status),
               due_at = CASE WHEN $3 <> 'delivered' OR NOT EXISTS (
                   SELECT FROM notification_deliveries AS p
                    WHERE p.tenant_id = d.tenant_id AND p.channel_id = d.channel_id
                      AND p.alert_id = d.alert_id
                      AND (p.step, p.occurred_at) > (d.step, d.occurred_at)
                      AND (p.state = 'delivered' OR p.alert_state = 'resolved'))
                             THEN now() + $6::interval END,
               finished_at = CASE WHEN $3 = 'delivered' THEN coalesce(finished_at, now())
                                  WHEN $6::interval IS NULL THEN now() END
         WHERE tenant_id = $1 AND delivery_id = $2
        """,
        [
            (tenant_id, one.delivery_id, one.state, one.reason[:512], one.status, one.again_after)
            for one in settled
        ],
    )
    await connection.execute(
        """
        UPDATE notification_deliveries AS old SET due_at = NULL FROM notification_deliveries AS d
         WHERE d.tenant_id = $1 AND d.delivery_id = ANY($2) AND d.state = 'delivered'
           AND old.tenant_id = $1 AND old.channel_id = d.channel_id AND old.alert_id = d.alert_id
           AND old.state = 'delivered' AND old.due_at IS NOT NULL
           AND (old.step, old.occurred_at) < (d.step, d.occurred_at)
        """,
        tenant_id,
        [one.delivery_id for one in settled],
    )


async def remove_old(connection: Session, before: datetime, most: int) -> int:
    """Remove what has ended before an instant, at most so many at once; answers how many."""
    done = await connection.execute(
        """
        DELETE FROM notification_deliveries WHERE (tenant_id, delivery_id) IN (
            SELECT tenant_id, delivery_id FROM notification_deliveries
             WHERE due_at IS NULL AND created_at < $1 LIMIT $2)
        """,
        before,
        most,
    )
    return int(done.rpartition(" ")[2])


async def remove_old_silences(connection: Session, before: datetime) -> None:
    """Remove silences that ended before an instant."""
    await connection.execute("DELETE FROM silences WHERE ends_at < $1", before)


async def backlog(connection: Session) -> tuple[int, float]:
    """How many deliveries wait to be sent, and for how long the oldest has been due (s)."""
    row = await connection.fetchrow(
        """
        SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)
          FROM notification_deliveries
         WHERE due_at IS NOT NULL AND state IN ('pending', 'sending')
        """
    )
    assert row is not None  # noqa: S101 - an aggregate always answers
    return int(row[0]), float(row[1])


def _delivery(row: Any) -> Delivery:
    kind = EVENTS.get(row["kind"])
    return Delivery(
        row["delivery_id"],
        State(row["state"]),
        row["attempts"],
        row["created_at"],
        kind.model_validate_json(row["body"]) if kind else None,
        row["is_last"],
        row["was_told"],
        row["released_at"],
        row["past_severity"],
    )
