"""SQL that sums stored operations and feedback into cells, for questions that no minute answers."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from services.gateway.domain.answers import Filters
from shared.alerts.rule import Filter
from shared.alerts.slots import VERSION_KEYS, Stored, stored_of, versions_of
from shared.delivery.postgres import Session
from shared.measures.cells import ASPECTS, FEEDBACK_SCALARS, Cell, Series
from shared.measures.stored import NO_JIT, SERIES, cell_of, cells_sql, columns_of, series_of

Span = tuple[datetime, datetime]
PORTION = timedelta(hours=1)

_JUDGED = {
    "f_n": "count(*)",
    "rating_n": "count(rating)",
    "rating": "sum(rating)",
    "rating2": "sum(rating * rating)",
    **{f"{aspect}_n": f"count({aspect})" for aspect in ASPECTS},
    **{aspect: f"count(*) FILTER (WHERE {aspect})" for aspect in ASPECTS},
}


# As in a series, an empty text stands for what was not said.
_WHERE = " AND ".join(
    (
        "tenant_id = $1 AND model_id = $2",
        "occurred_at >= ($3::timestamptz[])[1]",
        "occurred_at < ($3::timestamptz[])[cardinality($3::timestamptz[])]",
        *(
            f"(${place}::text IS NULL OR coalesce({column}, '') = ${place})"
            for place, column in enumerate(Filters._fields, start=4)
        ),
    )
)
_SLICE = "width_bucket(occurred_at, $3::timestamptz[])"


_OPERATIONS = cells_sql({"slice": _SLICE}, _WHERE)
# The newest event of the operation, as elsewhere. It is looked for in the days around the feedback
# first: a look into each of ninety days, for each feedback, takes longer than all else here.
_NEWEST = """
    LEFT JOIN LATERAL (
        SELECT true AS found, agent_id, release FROM ai_model_operations
         WHERE tenant_id = f.tenant_id AND operation_id = f.operation_id
               AND occurred_at {than} f.occurred_at - interval '1 day' {only}
         ORDER BY occurred_at DESC LIMIT 1) AS {name} ON true
"""
# It counts under the series that it was stored with, as in the minutes.
_FEEDBACK = f"""
    WITH judged AS (
        SELECT f.*, coalesce(late.agent_id, early.agent_id) AS agent_id,
               coalesce(late.release, early.release) AS release
          FROM user_feedback AS f
          {_NEWEST.format(name="late", than=">=", only="")}
          {_NEWEST.format(name="early", than="<", only="AND late.found IS NULL")}
         WHERE late.found OR early.found
    )
    SELECT {_SLICE} AS slice, {columns_of(_JUDGED)} FROM judged WHERE {_WHERE} GROUP BY 1
"""


_MANY = """
    tenant_id = $1 AND ($2::text IS NULL OR model_id = $2)
    AND occurred_at >= $3 AND occurred_at < $4
"""
_AGENT = cells_sql(SERIES, f"{_MANY} AND agent_id = $5")
_VERSIONS = cells_sql(VERSION_KEYS, versions_of(_MANY))
_AGENT_SENT = """
    SELECT EXISTS (SELECT FROM ai_model_operations
     WHERE tenant_id = $1 AND occurred_at > now() - interval '1 day' AND agent_id = $2
       AND ($3::text IS NULL OR model_id = $3) AND ($4::text IS NULL OR environment = $4)
       AND ($5::text IS NULL OR operation_type = $5)
       AND ($6::text IS NULL OR coalesce(variant, '') = $6))
"""


async def agent_sent(connection: Session, tenant_id: str, wanted: Filter) -> bool:
    """Whether an agent sent anything in the last day that a filter names."""
    names = wanted.model_id, wanted.environment, wanted.operation_type, wanted.variant
    return bool(await connection.fetchval(_AGENT_SENT, tenant_id, wanted.agent_id, *names))


async def of_agent(
    connection: Session, tenant_id: str, model_id: str | None, agent_id: str, span: Span
) -> dict[Series, Cell]:
    """What an agent did, by series."""
    await connection.execute(NO_JIT)
    rows = await connection.fetch(_AGENT, tenant_id, model_id, *span, agent_id)
    return {series_of(row): cell_of(row) for row in rows}


async def of_versions(
    connection: Session, tenant_id: str, model_id: str | None, span: Span
) -> list[Stored]:
    """What versions did, by their slots; `span` begins with an hour."""
    await connection.execute(NO_JIT)
    found: list[Stored] = []
    start, end = span
    while start < end:  # an hour of many operations takes a second
        until = start + PORTION
        rows = await connection.fetch(_VERSIONS, tenant_id, model_id, start, until)
        found += map(stored_of, rows)
        start = until
    return found


async def sums(
    connection: Session,
    tenant_id: str,
    model_id: str,
    filters: Filters,
    borders: Sequence[datetime],
) -> list[Cell]:
    """What happened between each two of the ascending `borders`, as one cell for each."""
    await connection.execute(NO_JIT)
    cells: list[Cell] = [{} for _ in borders[1:]]
    values = (tenant_id, model_id, list(borders), *filters)
    for row in await connection.fetch(_OPERATIONS, *values):
        cells[row["slice"] - 1] = cell_of(row)
    for row in await connection.fetch(_FEEDBACK, *values):
        cell = cells[row["slice"] - 1]
        cell.update((name, row[name]) for name in FEEDBACK_SCALARS if row[name])
    return cells
