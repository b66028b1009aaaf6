"""SQL that sums stored operations and feedback into cells, for questions that no minute answers.

The arithmetic is that of shared/measures/fold.py to the last unit: `round` of a double takes halves
to the even neighbour as Python does, and literals are doubles or become them.
"""

from collections.abc import Sequence
from datetime import datetime

from pydantic_core import from_json

from services.gateway.domain.answers import Filters
from shared.delivery.postgres import Session
from shared.measures.cells import ASPECTS, FEEDBACK_SCALARS, SCALARS, Cell
from shared.measures.fold import CALIBRATION_BINS, MICRO
from shared.measures.sketch import LN_GAMMA, SMALLEST, ZERO_KEY

COLUMN_OF = {
    "tin": "input_tokens",
    "tout": "output_tokens",
    "tcached": "cached_input_tokens",
    "treason": "reasoning_tokens",
}


def _rounded(value: str) -> str:
    return f"sum(round({value})::bigint)"


_SUMS = {
    "n": "count(*)",
    "ok": "count(*) FILTER (WHERE success)",
    "rt_us": _rounded("ms * 1000"),
    "ln": _rounded(f"log * {MICRO}"),
    "ln2": _rounded(f"log * log * {MICRO}"),
    **{f"{name}_n": f"count({column})" for name, column in COLUMN_OF.items()},
    **{name: f"sum({column})" for name, column in COLUMN_OF.items()},
    "cost_n": "count(cost_nano)",
    "cost_nano": "sum(cost_nano)",
    "conf_n": "count(confidence)",
    "conf": _rounded(f"confidence * {MICRO}"),
    "conf2": _rounded(f"confidence * confidence * {MICRO}"),
    "brier": _rounded(f"power(confidence - success::int, 2) * {MICRO}"),
}
_JUDGED = {
    "f_n": "count(*)",
    "rating_n": "count(rating)",
    "rating": "sum(rating)",
    "rating2": "sum(rating * rating)",
    **{f"{aspect}_n": f"count({aspect})" for aspect in ASPECTS},
    **{aspect: f"count(*) FILTER (WHERE {aspect})" for aspect in ASPECTS},
}


def _columns(sums: dict[str, str], names: Sequence[str]) -> str:
    return ", ".join(f"coalesce({sums[name]}, 0)::bigint AS {name}" for name in names)


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
_SLICE = "width_bucket(occurred_at, $3::timestamptz[]) AS slice"


# Written out once: four sums of it are cheaper than four scans of wide rows.
_OPERATIONS = f"""
    WITH seen AS MATERIALIZED (
        SELECT {_SLICE}, success, response_time_ms AS ms,
               ln(greatest(response_time_ms, {SMALLEST})) AS log, error_type, confidence,
               {", ".join(COLUMN_OF.values())}, cost_nano
          FROM ai_model_operations WHERE {_WHERE}
    ), entry AS (
        SELECT slice, 'd:' || CASE WHEN ms >= {SMALLEST} THEN ceil(log / {LN_GAMMA!r})::int
                                   ELSE {ZERO_KEY} END AS name, count(*) AS value
          FROM seen GROUP BY 1, 2
         UNION ALL
        SELECT slice, 'e:' || coalesce(nullif(error_type, ''), 'unspecified'), count(*)
          FROM seen WHERE NOT success GROUP BY 1, 2
         UNION ALL
        SELECT slice, 'k:' || bin || ':' || part, value
          FROM (SELECT slice,
                       least(floor(confidence * {CALIBRATION_BINS})::int,
                             {CALIBRATION_BINS - 1}) AS bin,
                       count(*) AS n, {_rounded(f"confidence * {MICRO}")} AS c,
                       count(*) FILTER (WHERE success) AS o
                  FROM seen WHERE confidence IS NOT NULL GROUP BY 1, 2) AS bins
         CROSS JOIN LATERAL (VALUES ('n', n), ('c', c), ('o', o)) AS parts (part, value)
    ), distributions AS (
        SELECT slice, jsonb_object_agg(name, value) AS distribution FROM entry GROUP BY 1
    ), totals AS (
        SELECT slice, {_columns(_SUMS, SCALARS)} FROM seen GROUP BY 1
    )
    SELECT * FROM totals JOIN distributions USING (slice)
"""
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
    SELECT {_SLICE}, {_columns(_JUDGED, FEEDBACK_SCALARS)} FROM judged WHERE {_WHERE} GROUP BY 1
"""


async def sums(
    connection: Session,
    tenant_id: str,
    model_id: str,
    filters: Filters,
    borders: Sequence[datetime],
) -> list[Cell]:
    """What happened between each two of the ascending `borders`, as one cell for each."""
    # Planned for every day's partition, it looks so dear that compiling it takes six seconds.
    await connection.execute("SET LOCAL jit = off")
    cells: list[Cell] = [{} for _ in borders[1:]]
    values = (tenant_id, model_id, list(borders), *filters)
    for row in await connection.fetch(_OPERATIONS, *values):
        found = from_json(row["distribution"]) | {name: row[name] for name in SCALARS}
        cells[row["slice"] - 1] = {name: value for name, value in found.items() if value}
    for row in await connection.fetch(_FEEDBACK, *values):
        cell = cells[row["slice"] - 1]
        cell.update((name, row[name]) for name in FEEDBACK_SCALARS if row[name])
    return cells
