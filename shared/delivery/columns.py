"""Sets of rows go into the database at once: narrow ones as arrays, wide ones by COPY."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shared.delivery.postgres import Session

# A plan that was made while a table was small would be kept after it has grown.
ALWAYS_PLAN = "SET LOCAL plan_cache_mode = force_custom_plan"


def columns_of(rows: Iterable[Sequence[Any]], count: int) -> list[list[Any]]:
    """Columns of rows that have `count` members."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(count)]


def unnested(types: Sequence[str]) -> str:
    """`unnest` of arrays of these types, given as parameters from $1 on."""
    arrays = (f"${place}::{kind}[]" for place, kind in enumerate(types, 1))
    return f"unnest({', '.join(arrays)})"


async def stage(
    connection: Session, table: str, types: Mapping[str, str], rows: Iterable[Sequence[Any]]
) -> None:
    """Load rows into a temporary table: of wide ones, arrays cost twice as much CPU to write."""
    columns = ", ".join(f"{name} {kind}" for name, kind in types.items())
    await connection.execute(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {table} ({columns}) ON COMMIT DELETE ROWS"
    )
    await connection.copy_records_to_table(
        table, schema_name="pg_temp", columns=list(types), records=rows
    )
