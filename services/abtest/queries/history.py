"""SQL of what tests said over time."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from services.abtest.domain.history import Place, Point
from shared.delivery.columns import columns_of, unnested
from shared.delivery.postgres import Session

_NUMBERS = ("bigint", "float8", "float8", "float8")
_TYPES = ("timestamptz", "text", "text", *_NUMBERS)
_COLUMNS = ", ".join(Point._fields)
# Arrays come first, then whose they are.
_GIVEN = f"SELECT $8::text, $9::uuid, * FROM {unnested(_TYPES)}"


async def put(connection: Session, key: tuple[str, UUID], points: Sequence[Point]) -> None:
    """Keep points of a look; one that is there already is written only if it says otherwise."""
    await connection.execute(
        f"""
        INSERT INTO ab_results_history AS h (tenant_id, test_id, {_COLUMNS})
        {_GIVEN}
        ON CONFLICT (tenant_id, test_id, at, metric, variant, is_first) DO UPDATE
           SET units = excluded.units, difference = excluded.difference, low = excluded.low,
               high = excluded.high
         WHERE (h.units, h.difference, h.low, h.high) IS DISTINCT FROM
               (excluded.units, excluded.difference, excluded.low, excluded.high)
        """,
        *columns_of(points, len(Point._fields)),
        *key,
    )


async def put_first(connection: Session, key: tuple[str, UUID], points: Sequence[Point]) -> None:
    """Keep points as the first that excluded zero, where there is none yet."""
    await connection.execute(
        f"""
        INSERT INTO ab_results_history (tenant_id, test_id, {_COLUMNS}, is_first)
        SELECT *, true FROM ({_GIVEN}) AS g
        ON CONFLICT (tenant_id, test_id, metric, variant) WHERE is_first DO NOTHING
        """,
        *columns_of(points, len(Point._fields)),
        *key,
    )


async def places(connection: Session, key: tuple[str, UUID], since: datetime) -> list[Place]:
    """Which points there are from a time on."""
    rows = await connection.fetch(
        """
        SELECT at, metric, variant FROM ab_results_history
         WHERE tenant_id = $1 AND test_id = $2 AND at >= $3 AND NOT is_first
        """,
        *key,
        since,
    )
    return [Place(*row) for row in rows]


async def remove(connection: Session, key: tuple[str, UUID], found: Iterable[Place]) -> None:
    """Let go of points."""
    await connection.execute(
        """
        DELETE FROM ab_results_history AS h
         USING unnest($3::timestamptz[], $4::text[], $5::text[]) AS g (at, metric, variant)
         WHERE h.tenant_id = $1 AND h.test_id = $2 AND NOT h.is_first
           AND h.at = g.at AND h.metric = g.metric AND h.variant = g.variant
        """,
        *key,
        *columns_of(list(found), len(Place._fields)),
    )
