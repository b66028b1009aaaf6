"""SQL of what units did before a test: read once from what is stored, a slice at a time."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.abtest.domain.rows import TOTALS, UnitKey
from shared.delivery.columns import columns_of
from shared.delivery.postgres import Session
from shared.experiments.values import MICRO, SMALLEST_MS
from shared.measures.sketch import LN_GAMMA, SMALLEST, ZERO_KEY

_OPERATIONS = ("n", "ok", "ln", "slow", "tok_n", "tok", "cost_n", "cost", "conf_n", "conf")
_ASPECTS = ("helpful", "accurate", "relevant", "fast")
_FEEDBACK = ("rating_n", "rating", *(part for one in _ASPECTS for part in (f"{one}_n", one)))

# $1 tenant, $2 test, $3 from, $4 until (exclusive), $5 to $7 the filter.
_TAKEN = """
    o.tenant_id = $1 AND o.occurred_at >= $3 AND o.occurred_at < $4
    AND ($5::text IS NULL OR o.operation_type = $5)
    AND ($6::text IS NULL OR o.environment = $6)
    AND ($7::text IS NULL OR o.agent_id = $7)
"""


def _added(names: Sequence[str]) -> str:
    return ", ".join(f"{name} = old.{name} + EXCLUDED.{name}" for name in names)


def _bins(column: str) -> str:
    return f"""
        SELECT '{column}' AS name, count(*) AS count,
               CASE WHEN {column} < {SMALLEST} THEN {ZERO_KEY}
                    ELSE ceil(ln({column}::float8) / {LN_GAMMA!r}::float8)::int END AS key
          FROM found WHERE {column} IS NOT NULL GROUP BY key
    """


# $8 what is slow, $9 whether units are kept. The same integers as shared.experiments.values makes.
_OF_OPERATIONS = f"""
    WITH found AS MATERIALIZED (
        SELECT o.user_pseudonym AS unit, o.success::int AS ok,
               o.response_time_ms > $8::float8 AS slow,
               round(ln(greatest(o.response_time_ms, {SMALLEST_MS})) * {MICRO}) AS ln,
               CASE WHEN o.input_tokens IS NOT NULL OR o.output_tokens IS NOT NULL
                    THEN coalesce(o.input_tokens, 0) + coalesce(o.output_tokens, 0) END AS tok,
               o.cost_nano AS cost, round(o.confidence * {MICRO}) AS conf
          FROM ai_model_operations AS o WHERE {_TAKEN}
    ), kept AS (
        INSERT INTO ab_past AS old (tenant_id, test_id, unit, {", ".join(_OPERATIONS)})
        SELECT $1::text, $2::uuid, unit, count(*), sum(ok), sum(ln::bigint),
               count(*) FILTER (WHERE slow),
               count(tok), coalesce(sum(tok), 0), count(cost), coalesce(sum(cost), 0),
               count(conf), coalesce(sum(conf::bigint), 0)
          FROM found WHERE $9::boolean AND unit IS NOT NULL GROUP BY unit
        ON CONFLICT (tenant_id, test_id, unit) DO UPDATE SET {_added(_OPERATIONS)}
    )
    {_bins("tok")} UNION ALL {_bins("cost")}
"""

# $8 the start of the whole time, $9 its end. Feedback follows its operation, whoever gave it; of
# two operations with one operation_id, the earlier.
_OF_FEEDBACK = f"""
    INSERT INTO ab_past AS old (tenant_id, test_id, unit, {", ".join(_FEEDBACK)})
    SELECT $1::text, $2::uuid, o.user_pseudonym, count(f.rating), coalesce(sum(f.rating), 0),
           {", ".join(f"count(f.{one}), coalesce(sum(f.{one}::int), 0)" for one in _ASPECTS)}
      FROM user_feedback AS f
      CROSS JOIN LATERAL (
          SELECT * FROM (
              SELECT o.user_pseudonym, o.operation_type, o.environment, o.agent_id
                FROM ai_model_operations AS o
               WHERE o.tenant_id = $1 AND o.operation_id = f.operation_id
                 AND o.occurred_at >= $8 AND o.occurred_at < $9
               ORDER BY o.occurred_at, o.event_id LIMIT 1) AS o
           WHERE o.user_pseudonym IS NOT NULL
             AND ($5::text IS NULL OR o.operation_type = $5)
             AND ($6::text IS NULL OR o.environment = $6)
             AND ($7::text IS NULL OR o.agent_id = $7)) AS o
     WHERE f.tenant_id = $1 AND f.occurred_at >= $3 AND f.occurred_at < $4
     GROUP BY o.user_pseudonym
    ON CONFLICT (tenant_id, test_id, unit) DO UPDATE SET {_added(_FEEDBACK)}
"""
_READ = f"""
    SELECT p.tenant_id, p.test_id, p.unit,
           {", ".join("0::bigint" if name == "crossovers" else f"p.{name}" for name in TOTALS)}
      FROM unnest($1::text[], $2::uuid[], $3::text[]) AS k (tenant_id, test_id, unit)
      JOIN ab_past AS p
        ON p.tenant_id = k.tenant_id AND p.test_id = k.test_id AND p.unit = k.unit
"""

Filter = tuple[str | None, str | None, str | None]
"""Operation type, environment, agent."""
Bins = dict[str, dict[int, int]]


async def of_units(connection: Session, keys: Sequence[UnitKey]) -> dict[UnitKey, tuple[int, ...]]:
    """Totals of before the test, of those units that have any."""
    rows = await connection.fetch(_READ, *columns_of(keys, 3))
    return {UnitKey(*row[:3]): tuple(row[3:]) for row in rows}


async def unfinished(
    connection: Session, after: timedelta, before: timedelta
) -> list[tuple[str, UUID]]:
    """Tests whose past is not complete, so long after their start; those first that are made.

    A test that has ended gets no past any more, but one that is made is finished.
    """
    await connection.execute(
        """
        INSERT INTO ab_past_scans (tenant_id, test_id, scanned_until)
        SELECT tenant_id, test_id, started_at - $2::interval FROM ab_tests
         WHERE state IN ('running', 'paused') AND started_at < now() - $1::interval
           AND (tenant_id, test_id) NOT IN (SELECT tenant_id, test_id FROM ab_past_scans)
        ON CONFLICT (tenant_id, test_id) DO NOTHING
        """,
        after,
        before,
    )
    rows = await connection.fetch(
        """
        SELECT s.tenant_id, s.test_id
          FROM ab_past_scans AS s JOIN ab_tests AS t USING (tenant_id, test_id)
         WHERE s.completed_at IS NULL AND (t.ended_at IS NULL OR s.marked_at IS NOT NULL)
         ORDER BY s.marked_at NULLS LAST, t.started_at, s.test_id
        """
    )
    return [(row[0], row[1]) for row in rows]


async def locked_scan(connection: Session, tenant_id: str, test_id: UUID) -> Any:
    """A scan that nobody else works at; `None` while somebody does."""
    return await connection.fetchrow(
        """
        SELECT scanned_until, marked_at, completed_at, tok_bins, cost_bins FROM ab_past_scans
         WHERE tenant_id = $1 AND test_id = $2 FOR UPDATE SKIP LOCKED
        """,
        tenant_id,
        test_id,
    )


async def add_operations(
    connection: Session, taken: Sequence[Any], slo_ms: float, *, with_units: bool
) -> Bins:
    """Add a slice's operations to their units; answers tokens and cost as bins."""
    bins: Bins = {"tok": {}, "cost": {}}
    for row in await connection.fetch(_OF_OPERATIONS, *taken, slo_ms, with_units):
        bins[row["name"]][row["key"]] = row["count"]
    return bins


async def add_feedback(
    connection: Session, taken: Sequence[Any], start: datetime, end: datetime
) -> None:
    """Add a slice's feedback to the units of its operations."""
    await connection.execute(_OF_FEEDBACK, *taken, start, end)


async def moved_on(
    connection: Session, tenant_id: str, test_id: UUID, until: datetime, bins: Bins
) -> None:
    """A scan is as far as an instant."""
    await connection.execute(
        """
        UPDATE ab_past_scans
           SET scanned_until = $3, tok_bins = add_distributions(tok_bins, $4),
               cost_bins = add_distributions(cost_bins, $5)
         WHERE tenant_id = $1 AND test_id = $2
        """,
        *(tenant_id, test_id, until, json.dumps(bins["tok"]), json.dumps(bins["cost"])),
    )


async def mark(
    connection: Session, tenant_id: str, test_id: UUID, limits: Mapping[str, int | None]
) -> bool:
    """The past is made, with these limits; answers whether anything counts by it."""
    found = await connection.fetchval(
        """
        UPDATE ab_past_scans AS s
           SET marked_at = clock_timestamp(), tok_limit = $3::bigint, cost_limit = $4::bigint,
               tok_bins = '{}', cost_bins = '{}', has_units = found.any,
               completed_at = CASE WHEN found.any OR num_nonnulls($3::bigint, $4::bigint) > 0
                                   THEN NULL ELSE clock_timestamp() END
          FROM (SELECT EXISTS (SELECT FROM ab_past
                                WHERE tenant_id = $1 AND test_id = $2) AS any) AS found
         WHERE s.tenant_id = $1 AND s.test_id = $2
        RETURNING s.completed_at IS NULL
        """,
        *(tenant_id, test_id, limits["tok"], limits["cost"]),
    )
    return bool(found)


async def complete(connection: Session, tenant_id: str, test_id: UUID) -> None:
    """All units count by their past."""
    await connection.execute(
        "UPDATE ab_past_scans SET completed_at = clock_timestamp()"
        " WHERE tenant_id = $1 AND test_id = $2",
        tenant_id,
        test_id,
    )


async def change_test(connection: Session, tenant_id: str, test_id: UUID) -> None:
    """A test is newer than it was: whoever keeps a copy reads it again."""
    await connection.execute(
        """
        UPDATE ab_tests SET updated_at = greatest(clock_timestamp(), updated_at + interval '1 us')
         WHERE tenant_id = $1 AND test_id = $2
        """,
        tenant_id,
        test_id,
    )


async def own_number(connection: Session) -> int:
    """This transaction's number: every one that has written before it has a smaller one."""
    return int(await connection.fetchval("SELECT pg_current_xact_id()::text::bigint"))


async def oldest_writer(connection: Session) -> int:
    """All transactions with smaller numbers have ended."""
    return int(
        await connection.fetchval("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
    )


async def units_after(
    connection: Session, tenant_id: str, test_id: UUID, unit: str, most: int
) -> list[tuple[str, bool]]:
    """The next units in their order, and whether each counts by its past."""
    rows = await connection.fetch(
        """
        SELECT unit, with_past OR events = 0 FROM ab_units
         WHERE tenant_id = $1 AND test_id = $2 AND unit > $3 ORDER BY unit LIMIT $4
        """,
        *(tenant_id, test_id, unit, most),
    )
    return [(row[0], row[1]) for row in rows]
