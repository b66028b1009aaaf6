"""What Postgres holds, read past the services."""

import json
from collections import Counter, defaultdict

import asyncpg

from shared import keys
from shared.alerts.rule import AlertRule
from shared.delivery.plan import Partition
from tests.faults.alerts import Alert, Step
from tests.faults.books import FEEDBACK_SUMS, SUMS, Cells, Totals
from tests.faults.breaches import Minute, Rule
from tests.faults.journal import Identity


async def rows(connection: asyncpg.Connection) -> dict[Identity, tuple[int, str | None]]:
    """Identity -> how often it is stored, and under which model."""
    found = await connection.fetch(
        """
        SELECT tenant_id, event_id::text, (extract(epoch FROM occurred_at) * 1000000)::bigint AS at,
               count(*) AS times, min(model_id) AS model
          FROM (SELECT tenant_id, event_id, occurred_at, model_id FROM ai_model_operations
                UNION ALL
                SELECT tenant_id, event_id, occurred_at, model_id FROM user_feedback) AS events
         GROUP BY 1, 2, 3
        """
    )
    return {(row[0], row[1], row[2]): (row["times"], row["model"]) for row in found}


async def dead_rows(connection: asyncpg.Connection) -> dict[tuple[str, int, int], str]:
    """Place -> reason."""
    found = await connection.fetch(
        "SELECT topic, partition, kafka_offset, reason FROM dead_letters"
    )
    return {tuple(row[:3]): row["reason"] for row in found}


async def minute_totals(connection: asyncpg.Connection) -> Totals:
    """Sums of all minutes, by tenant and model."""
    names = (*SUMS, *FEEDBACK_SUMS)
    columns = ", ".join(f"sum({name})::bigint AS {name}" for name in names)
    found = await connection.fetch(
        f"SELECT tenant_id, model_id, {columns} FROM operation_rollup_minute GROUP BY 1, 2"
    )
    return Counter({(row[0], row[1], name): row[name] for row in found for name in names})


async def minutes(connection: asyncpg.Connection, since: float) -> Cells:
    """Minutes as they should be in Redis, by hour and, from `since` (Unix) on, by minute."""
    out: Cells = defaultdict(dict)
    found = await connection.fetch(
        """
        SELECT topic, partition, tenant_id, start, series, measure, sum(value)::bigint
          FROM (SELECT topic, partition, tenant_id, extract(epoch FROM minute)::bigint AS start,
                       concat_ws(E'\\x1f', model_id, environment, operation_type, variant)
                           AS series,
                       entry.key AS measure, entry.value::bigint AS value
                  FROM operation_rollup_minute AS one,
                       jsonb_each_text(to_jsonb(one) - 'distribution' - 'tenant_id' - 'minute'
                           - 'model_id' - 'environment' - 'operation_type' - 'variant' - 'topic'
                           - 'partition' || one.distribution) AS entry) AS entries
         GROUP BY 1, 2, 3, 4, 5, 6
        """
    )
    for topic, number, tenant, start, series, measure, value in found:
        for resolution, span in ((keys.MINUTE_CELLS, 60), (keys.HOUR_CELLS, 3600)):
            if resolution == keys.MINUTE_CELLS and start < since:
                continue
            member = keys.cell_member(resolution, tenant, start - start % span)
            cell = out[Partition(topic, number), member, series]
            if value:
                cell[measure] = cell.get(measure, 0) + value
    return {place: cell for place, cell in out.items() if cell}


async def rules(connection: asyncpg.Connection) -> list[Rule]:
    """Every tenant's alert rules."""
    found = await connection.fetch("SELECT tenant_id, rule_id::text, body FROM alert_rules")
    return [Rule(row[0], row[1], AlertRule.model_validate_json(row["body"])) for row in found]


async def steps(connection: asyncpg.Connection) -> list[Step]:
    """Every step of every alert."""
    found = await connection.fetch(
        "SELECT tenant_id, event_id::text, occurred_at, alert_id::text, step, state, severity "
        "FROM performance_alert_steps"
    )
    return [Step(*row) for row in found]


async def alerts(connection: asyncpg.Connection) -> list[Alert]:
    """Every alert as it is now."""
    found = await connection.fetch(
        "SELECT tenant_id AS tenant, alert_id::text, rule_id::text, labels, state, step AS number "
        "FROM performance_alerts"
    )
    return [Alert(**dict(row) | {"labels": json.loads(row["labels"])}) for row in found]


async def series_minutes(connection: asyncpg.Connection) -> list[Minute]:
    """What each series did in each minute, of all partitions together."""
    names = ("model_id", "environment", "operation_type", "variant")
    found = await connection.fetch(
        f"SELECT tenant_id, {', '.join(names)}, extract(epoch FROM minute)::bigint AS start, "
        "sum(n)::bigint AS n, sum(ok)::bigint AS ok "
        "FROM operation_rollup_minute GROUP BY 1, 2, 3, 4, 5, 6"
    )
    return [
        Minute(row["tenant_id"], {name: row[name] for name in names}, *row[-3:]) for row in found
    ]
