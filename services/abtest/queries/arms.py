"""SQL of an arm's sums: differences are added to the writer's shard, readers add shards up."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from services.abtest.domain.folding import ArmChange, ArmName
from services.abtest.domain.sums import COLUMNS, PLAIN
from shared.delivery.columns import columns_of, unnested
from shared.delivery.postgres import Session

Arms = Mapping[ArmName, ArmChange]

_ARM = ("text", "uuid", "integer", "text", "integer")
_SUM = ("text", "uuid", "integer", "text", "text", "integer")


def _add_sums(names: Sequence[str]) -> str:
    kinds = ("bigint" if name in ("n", "h") else "numeric" for name in names)
    return f"""
        INSERT INTO ab_sums AS old (tenant_id, test_id, epoch, variant, metric, shard,
            {", ".join(names)})
        SELECT * FROM {unnested((*_SUM, *kinds))}
        ON CONFLICT (tenant_id, test_id, epoch, variant, metric, shard) DO UPDATE SET
            {", ".join(f"{name} = old.{name} + EXCLUDED.{name}" for name in names)}
    """


# Tests without a past do not pay for one.
_ADD_SUMS = {False: _add_sums(COLUMNS[:PLAIN]), True: _add_sums(COLUMNS)}


async def add_arms(connection: Session, arms: Arms, shard: int, as_of: datetime) -> None:
    """Counts of each arm, and that something has changed."""
    rows = [
        (
            *(*name, shard),
            *(arm.units, arm.multiple, arm.operations, arm.crossovers),
            *(*arm.ratings, arm.first_at, arm.last_at, as_of),
        )
        for name, arm in sorted(arms.items())
    ]
    types = (*_ARM, *["bigint"] * 9, *["timestamptz"] * 3)
    await connection.execute(
        f"""
        INSERT INTO ab_arms AS old (tenant_id, test_id, epoch, variant, shard, units, multiple,
            operations, crossovers, r1, r2, r3, r4, r5, first_at, last_at, as_of)
        SELECT * FROM {unnested(types)}
        ON CONFLICT (tenant_id, test_id, epoch, variant, shard) DO UPDATE SET
            units = old.units + EXCLUDED.units,
            multiple = old.multiple + EXCLUDED.multiple,
            operations = old.operations + EXCLUDED.operations,
            crossovers = old.crossovers + EXCLUDED.crossovers,
            r1 = old.r1 + EXCLUDED.r1, r2 = old.r2 + EXCLUDED.r2, r3 = old.r3 + EXCLUDED.r3,
            r4 = old.r4 + EXCLUDED.r4, r5 = old.r5 + EXCLUDED.r5,
            first_at = least(old.first_at, EXCLUDED.first_at),
            last_at = greatest(old.last_at, EXCLUDED.last_at),
            as_of = greatest(old.as_of, EXCLUDED.as_of),
            version = old.version + 1
        """,
        *columns_of(rows, len(types)),
    )


async def add_sums(connection: Session, arms: Arms, shard: int) -> None:
    """Sums of each arm and metric."""
    rows = [
        (*name, metric, shard, *sums)
        for name, arm in sorted(arms.items())
        for metric, sums in sorted(arm.sums.items())
        if any(sums)
    ]
    has_past = any(any(row[len(_SUM) + PLAIN :]) for row in rows)
    names = COLUMNS if has_past else COLUMNS[:PLAIN]
    width = len(_SUM) + len(names)
    columns = columns_of((row[:width] for row in rows), width)
    await connection.execute(_ADD_SUMS[has_past], *columns)


async def add_bins(connection: Session, arms: Arms, shard: int) -> None:
    """Response times of each arm's groups of units."""
    rows = [
        (*name, group, shard, json.dumps(kept))
        for name, arm in sorted(arms.items())
        for group, bins in sorted(arm.bins.items())
        if (kept := {key: count for key, count in bins.items() if count})
    ]
    types = (*_ARM[:4], "smallint", "integer", "jsonb")
    await connection.execute(
        f"""
        INSERT INTO ab_sketches AS old (tenant_id, test_id, epoch, variant, grp, shard, bins)
        SELECT * FROM {unnested(types)}
        ON CONFLICT (tenant_id, test_id, epoch, variant, grp, shard) DO UPDATE SET
            bins = add_distributions(old.bins, EXCLUDED.bins)
        """,
        *columns_of(rows, len(types)),
    )


async def add_days(
    connection: Session, days: Mapping[tuple[str, UUID, date], int], shard: int
) -> None:
    """Units by the day on which they were first seen."""
    rows = [(*name, shard, count) for name, count in sorted(days.items()) if count]
    await connection.execute(
        f"""
        INSERT INTO ab_days AS old (tenant_id, test_id, day, shard, units)
        SELECT * FROM {unnested(("text", "uuid", "date", "integer", "bigint"))}
        ON CONFLICT (tenant_id, test_id, day, shard) DO UPDATE SET
            units = old.units + EXCLUDED.units
        """,
        *columns_of(rows, 5),
    )
