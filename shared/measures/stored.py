"""SQL text that sums stored operations into cells, for questions that no minute answers.

The arithmetic is that of `shared.measures.fold` to the last unit: `round` of a double takes halves
to the even neighbour as Python does, and literals are doubles or become them.
"""

from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from shared.measures.cells import SCALARS, Cell, Series
from shared.measures.fold import CALIBRATION_BINS, MICRO
from shared.measures.sketch import LN_GAMMA, SMALLEST, ZERO_KEY

_COLUMN_OF = {
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
    **{f"{name}_n": f"count({column})" for name, column in _COLUMN_OF.items()},
    **{name: f"sum({column})" for name, column in _COLUMN_OF.items()},
    "cost_n": "count(cost_nano)",
    "cost_nano": "sum(cost_nano)",
    "conf_n": "count(confidence)",
    "conf": _rounded(f"confidence * {MICRO}"),
    "conf2": _rounded(f"confidence * confidence * {MICRO}"),
    "brier": _rounded(f"power(confidence - success::int, 2) * {MICRO}"),
}

SERIES = {"model_id": "model_id"} | {
    name: f"coalesce({name}, '')" for name in ("environment", "operation_type", "variant")
}
"""Keys of a `Series`, in its order."""


# Planned for every day's partition, a statement looks so dear that compiling it takes six seconds.
NO_JIT = "SET LOCAL jit = off"


def series_of(row: Any) -> Series:
    """The series in a row that has the keys of `SERIES`."""
    return Series(*(row[name] for name in Series._fields))


def slot_of(seconds: int, at: str = "occurred_at") -> str:
    """The start (Unix seconds) of the slot of so many seconds in which an operation happened."""
    return f"floor(extract(epoch FROM {at}) / {seconds})::bigint * {seconds}"


def columns_of(sums: Mapping[str, str]) -> str:
    """Sums as columns of their names; of nothing it is 0."""
    return ", ".join(f"coalesce({value}, 0)::bigint AS {name}" for name, value in sums.items())


def cells_sql(keys: Mapping[str, str], where: str) -> str:
    """A statement that answers one row for each distinct value of `keys` (name -> expression).

    A key may neither be null (its rows would be lost) nor have the name of a sum. `cell_of` reads
    what a row holds beside the keys, `arrived` says when the last of its operations was stored.
    """
    named = ", ".join(f"{expression} AS {name}" for name, expression in keys.items())
    names = ", ".join(keys)
    # Written out once: four sums of it are cheaper than four scans of wide rows.
    return f"""
    WITH seen AS MATERIALIZED (
        SELECT {named}, success, response_time_ms AS ms,
               ln(greatest(response_time_ms, {SMALLEST})) AS log, error_type, confidence,
               {", ".join(_COLUMN_OF.values())}, cost_nano, ingested_at
          FROM ai_model_operations WHERE {where}
    ), entry AS (
        SELECT {names}, 'd:' || CASE WHEN ms >= {SMALLEST} THEN ceil(log / {LN_GAMMA!r})::int
                                     ELSE {ZERO_KEY} END AS measure, count(*) AS value
          FROM seen GROUP BY {names}, measure
         UNION ALL
        SELECT {names}, 'e:' || coalesce(nullif(error_type, ''), 'unspecified') AS measure, count(*)
          FROM seen WHERE NOT success GROUP BY {names}, measure
         UNION ALL
        SELECT {names}, 'k:' || bin || ':' || part, value
          FROM (SELECT {names},
                       least(floor(confidence * {CALIBRATION_BINS})::int,
                             {CALIBRATION_BINS - 1}) AS bin,
                       count(*) AS n, {_rounded(f"confidence * {MICRO}")} AS c,
                       count(*) FILTER (WHERE success) AS o
                  FROM seen WHERE confidence IS NOT NULL GROUP BY {names}, bin) AS bins
         CROSS JOIN LATERAL (VALUES ('n', n), ('c', c), ('o', o)) AS parts (part, value)
    ), distributions AS (
        SELECT {names}, jsonb_object_agg(measure, value) AS distribution FROM entry GROUP BY {names}
    ), totals AS (
        SELECT {names}, max(ingested_at) AS arrived, {columns_of(_SUMS)} FROM seen GROUP BY {names}
    )
    SELECT * FROM totals JOIN distributions USING ({names})
"""


def cell_of(row: Any) -> Cell:
    """The cell in a row of `cells_sql`."""
    found: Cell = from_json(row["distribution"]) | {name: row[name] for name in SCALARS}
    return {name: value for name, value in found.items() if value}
