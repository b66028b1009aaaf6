"""SQL of alert rules, alerts, and what people do to them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from asyncpg import Record

from services.gateway.domain.alerts import Action
from services.gateway.domain.cursor import Cursor
from services.gateway.queries.objects import Table
from shared.alerts.rule import Filter
from shared.delivery.postgres import Session

RULE = "rule_id, body, created_at, created_by, updated_at"
RULES = Table("alert_rules", "rule_id", RULE)
ALERT = """
    alert_id, rule_id, rule_name, model_id, environment, labels, state, severity, value, threshold,
    low, high, sample, observed_over, reason, started_at, fired_at, acknowledged_until, resolved_at
"""

Row = Record


async def insert_rule(
    connection: Session, tenant_id: str, rule_id: UUID, body: str, actor: str
) -> Row:
    """Keep a new rule; a name that is taken violates a constraint."""
    row = await connection.fetchrow(
        f"""
        INSERT INTO alert_rules (tenant_id, rule_id, body, created_by) VALUES ($1, $2, $3, $4)
        RETURNING {RULE}
        """,
        tenant_id,
        rule_id,
        body,
        actor,
    )
    assert row is not None  # noqa: S101 - an insert returns its row
    return row


async def replace_rule(connection: Session, tenant_id: str, rule_id: UUID, body: str) -> Row | None:
    """Put a rule in another's place; `None` when there is none."""
    return await connection.fetchrow(
        f"""
        UPDATE alert_rules SET body = $3, updated_at = now()
         WHERE tenant_id = $1 AND rule_id = $2 RETURNING {RULE}
        """,
        tenant_id,
        rule_id,
        body,
    )


async def count_rules(connection: Session, tenant_id: str) -> int:
    """How many rules a tenant has."""
    count = await connection.fetchval(
        "SELECT count(*) FROM alert_rules WHERE tenant_id = $1", tenant_id
    )
    return int(count)


async def metrics_of_rules(
    connection: Session, tenant_id: str, rule_ids: Sequence[UUID]
) -> Sequence[Row]:
    """What these rules watch; of those that are gone there is no row."""
    rows: Sequence[Row] = await connection.fetch(
        """
        SELECT rule_id, body->>'metric' AS metric FROM alert_rules
         WHERE tenant_id = $1 AND rule_id = ANY($2::uuid[])
        """,
        tenant_id,
        list(rule_ids),
    )
    return rows


async def anything_matches(connection: Session, tenant_id: str, wanted: Filter) -> bool:
    """Whether the tenant ever sent what a filter names, its agent apart."""
    names = wanted.model_id, wanted.environment, wanted.operation_type, wanted.variant
    return bool(
        await connection.fetchval(
            """
            SELECT EXISTS (SELECT FROM operation_rollup_minute
             WHERE tenant_id = $1 AND ($2::text IS NULL OR model_id = $2)
               AND ($3::text IS NULL OR environment = $3)
               AND ($4::text IS NULL OR operation_type = $4)
               AND ($5::text IS NULL OR variant = $5))
            """,
            tenant_id,
            *names,
        )
    )


async def alerts(
    connection: Session,
    tenant_id: str,
    filters: Mapping[str, Any],
    after: Cursor | None,
    limit: int,
) -> Sequence[Row]:
    """Alerts, newest first; `filters` by column, and `from`, `to` of their start."""
    start, end = filters.get("from"), filters.get("to")
    values: list[Any] = [tenant_id, start, end, *(after or (None, None)), limit]
    clauses = []
    for name in ("state", "severity", "model_id", "environment", "rule_id"):
        if filters.get(name) is not None:
            values.append(filters[name])
            clauses.append(f"AND {name} = ${len(values)}")
    return await connection.fetch(
        f"""
        SELECT {ALERT} FROM performance_alerts
         WHERE tenant_id = $1
           AND ($2::timestamptz IS NULL OR started_at >= $2)
           AND ($3::timestamptz IS NULL OR started_at < $3)
           AND ($4::timestamptz IS NULL OR (started_at, alert_id) < ($4, $5::uuid))
           {" ".join(clauses)}
         ORDER BY started_at DESC, alert_id DESC LIMIT $6
        """,
        *values,
    )


async def alert(connection: Session, tenant_id: str, alert_id: UUID) -> Row | None:
    """One alert as it was last told."""
    return await connection.fetchrow(
        f"SELECT {ALERT} FROM performance_alerts WHERE tenant_id = $1 AND alert_id = $2",
        tenant_id,
        alert_id,
    )


async def steps(connection: Session, tenant_id: str, alert_id: UUID) -> Sequence[Row]:
    """An alert's history."""
    return await connection.fetch(
        """
        SELECT DISTINCT ON (step) state, severity, occurred_at AS at, actor, reason AS note
          FROM performance_alert_steps WHERE tenant_id = $1 AND alert_id = $2
         ORDER BY step, occurred_at DESC
        """,
        tenant_id,
        alert_id,
    )


async def insert_action(connection: Session, tenant_id: str, done: Action) -> None:
    """Keep what somebody did; metrics applies it."""
    await connection.execute(
        """
        INSERT INTO alert_actions (tenant_id, action_id, alert_id, action, until, note, actor)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        tenant_id,
        *done,
    )
