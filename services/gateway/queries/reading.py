"""SQL of operations and minutes."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from services.gateway.domain.cursor import Cursor
from shared.delivery.postgres import Session
from shared.measures.cells import FEEDBACK_SCALARS, SCALARS, Cell, Series

OPERATION = """
    event_id, occurred_at, operation_id, model_id, success, response_time_ms, model_version,
    provider, operation_type, agent_id, environment, release, trace_id, parent_operation_id,
    session_id, user_pseudonym, prompt_version, time_to_first_token_ms, input_tokens,
    output_tokens, cached_input_tokens, reasoning_tokens, cost_nano / 1e9::float8 AS cost_usd,
    confidence, error_type, error_message, input_text, output_text, ab_test_id, variant, metadata,
    ingested_at
"""
EQUAL = (
    "model_id", "agent_id", "user_pseudonym", "session_id", "trace_id", "environment", "release",
    "operation_type", "variant", "success",
)  # fmt: skip
SERIES = ("model_id", "environment", "operation_type", "variant")


async def operations(
    connection: Session,
    tenant_id: str,
    filters: Mapping[str, Any],
    after: Cursor | None,
    limit: int,
) -> Sequence[Mapping[str, Any]]:
    """Operations, newest first; `filters` by column, and `from`, `to`, `error`."""
    values: list[Any] = [tenant_id]
    clauses = ["tenant_id = $1"]

    def clause(text: str, *parameters: Any) -> None:
        places = []
        for parameter in parameters:
            values.append(parameter)
            places.append(f"${len(values)}")
        clauses.append(text.format(*places))

    for name in EQUAL:
        if filters.get(name) is not None:
            clause(f"{name} = {{}}", filters[name])
    if filters.get("from") is not None:
        clause("occurred_at >= {}", filters["from"])
    if filters.get("to") is not None:
        clause("occurred_at < {}", filters["to"])
    if filters.get("error") is not None:
        pattern = "%" + _literal(filters["error"]) + "%"
        clause("(error_type ILIKE {} OR error_message ILIKE {})", pattern, pattern)
    if after is not None:
        clause("(occurred_at, event_id) < ({}, {})", *after)
    values.append(limit)
    rows = await connection.fetch(
        f"""
        SELECT {OPERATION} FROM ai_model_operations WHERE {" AND ".join(clauses)}
         ORDER BY occurred_at DESC, event_id DESC LIMIT ${len(values)}
        """,
        *values,
    )
    return [dict(row) for row in rows]


async def operation(
    connection: Session, tenant_id: str, operation_id: str
) -> Mapping[str, Any] | None:
    """The newest event of an operation's id."""
    row = await connection.fetchrow(
        f"""
        SELECT {OPERATION} FROM ai_model_operations
         WHERE tenant_id = $1 AND operation_id = $2
         ORDER BY occurred_at DESC, event_id DESC LIMIT 1
        """,
        tenant_id,
        operation_id,
    )
    return None if row is None else dict(row)


async def minutes(
    connection: Session,
    tenant_id: str,
    model_id: str | None,
    span: tuple[datetime, datetime],
    step_s: int,
) -> dict[tuple[Series, datetime], Cell]:
    """Sums of minutes by series and step, scalars and distributions together."""
    scalars = (*SCALARS, *FEEDBACK_SCALARS)
    at = "date_bin($5::interval, minute, 'epoch')"
    where = """
        FROM operation_rollup_minute
       WHERE tenant_id = $1 AND ($2::text IS NULL OR model_id = $2) AND minute >= $3 AND minute < $4
    """
    values = (tenant_id, model_id, *span, timedelta(seconds=step_s))
    sums = ", ".join(f"sum({name})::bigint AS {name}" for name in scalars)
    cells: dict[tuple[Series, datetime], Cell] = {}
    for row in await connection.fetch(
        f"SELECT {', '.join(SERIES)}, {at} AS at, {sums} {where} GROUP BY 1, 2, 3, 4, 5", *values
    ):
        cell = {name: row[name] for name in scalars if row[name]}
        cells[Series(*row[:4]), row["at"]] = cell
    entries = where.replace(
        "operation_rollup_minute",
        "operation_rollup_minute CROSS JOIN jsonb_each_text(distribution) AS entry (name, value)",
    )
    for row in await connection.fetch(
        f"""
        SELECT {", ".join(SERIES)}, {at} AS at, entry.name, sum(entry.value::bigint)::bigint
        {entries} GROUP BY 1, 2, 3, 4, 5, 6
        """,
        *values,
    ):
        cells[Series(*row[:4]), row["at"]][row["name"]] = row[6]
    return cells


async def model_exists(connection: Session, tenant_id: str, model_id: str) -> bool:
    """Whether the tenant ever sent anything of this model."""
    return bool(
        await connection.fetchval(
            "SELECT EXISTS (SELECT FROM operation_rollup_minute"
            " WHERE tenant_id = $1 AND model_id = $2)",
            tenant_id,
            model_id,
        )
    )


def _literal(text: str) -> str:
    """What ILIKE takes as it is."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
