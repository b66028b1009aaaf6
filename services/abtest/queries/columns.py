"""Rows as columns: sets go into the database as arrays, one a column, in one statement."""

from collections.abc import Iterable, Sequence
from typing import Any


def columns_of(rows: Iterable[Sequence[Any]], count: int) -> list[list[Any]]:
    """Columns of rows that have `count` members."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(count)]


def unnested(types: Sequence[str]) -> str:
    """`unnest` of arrays of these types, given as parameters from $1 on."""
    arrays = (f"${place}::{kind}[]" for place, kind in enumerate(types, 1))
    return f"unnest({', '.join(arrays)})"
