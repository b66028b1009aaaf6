"""A test's units and sums as Postgres holds them, read past the services."""

import json
from collections import Counter, defaultdict
from typing import Any

import asyncpg

from tests.faults.lab.reckoning import TOTALS, Books

LINE = ("seen", "is_crossed", "is_multiple", "exposed_at", "first_at", "events", "epoch", "variant")
MOMENTS = ("n", "m", "mm", "d", "dd", "md")
ARM = ("units", "multiple", "operations", "crossovers")


async def books(connection: asyncpg.Connection, test_id: str) -> Books:
    """All of one test, all shards together."""

    async def rows(table: str, columns: str, rest: str = "") -> list[Any]:
        asked = f"SELECT {columns} FROM {table} WHERE test_id = $1::text::uuid {rest}"
        return list(await connection.fetch(asked, test_id))

    units = await rows("ab_units", ", ".join(("unit", *LINE, *TOTALS)))
    arms = await rows("ab_arms", f"epoch, variant, {_sums(ARM)}", "GROUP BY 1, 2")
    sums = await rows("ab_sums", f"epoch, variant, metric, {_sums(MOMENTS)}", "GROUP BY 1, 2, 3")
    days = await rows("ab_days", "day, sum(units)", "GROUP BY 1")
    sketches: dict[Any, Counter[int]] = defaultdict(Counter)
    for *place, bins in await rows("ab_sketches", "epoch, variant, grp, bins"):
        sketches[tuple(place)].update({int(at): n for at, n in json.loads(bins).items()})
    counts = {key: {at: n for at, n in bins.items() if n} for key, bins in sketches.items()}
    return Books(
        {row[0]: tuple(row[1:]) for row in units},
        {tuple(row[:2]): _named(row) for row in arms if any(row[2:])},
        {tuple(row[:3]): tuple(map(int, row[3:])) for row in sums if any(row[3:])},
        {key: bins for key, bins in counts.items() if bins},
        {row[0]: int(row[1]) for row in days if row[1]},
    )


def _named(row: Any) -> Counter[str]:
    """As a counter: what is not there is zero."""
    return Counter({name: int(row[name]) for name in ARM})


def _sums(names: tuple[str, ...]) -> str:
    return ", ".join(f"sum({name}) AS {name}" for name in names)
