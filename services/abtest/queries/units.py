"""SQL of units. Rows are locked in the order of their keys, so that two processes never cross."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from services.abtest.domain.folding import cell_of
from services.abtest.domain.rows import NOTHING, TOTALS, UnitKey
from services.abtest.domain.units import Seen, UnitState
from services.abtest.queries.columns import columns_of, stage
from shared.delivery.postgres import Session

_KEY = ("tenant_id", "test_id", "unit")
_STATE = ("seen", "is_crossed", "is_multiple", "exposed_at", "first_at", "events")
_WRITTEN = {
    **dict(zip(_KEY, ("text", "uuid", "text"), strict=True)),
    **dict(
        zip(
            _STATE,
            ("text", "boolean", "boolean", "timestamptz", "timestamptz", "bigint"),
            strict=True,
        )
    ),
    "epoch": "integer",
    "variant": "text",
    "with_past": "boolean",
    **dict.fromkeys(TOTALS, "bigint"),
}
_SET = ", ".join(f"{name} = s.{name}" for name in _WRITTEN if name not in _KEY)
_UPDATE = f"""
    UPDATE ab_units AS u SET {_SET}
      FROM pg_temp.staged_ab_units AS s
     WHERE u.tenant_id = ANY($1)
       AND u.tenant_id = s.tenant_id AND u.test_id = s.test_id AND u.unit = s.unit
"""
_READ = f"""
    SELECT {", ".join(f"u.{name}" for name in (*_KEY, *_STATE, *TOTALS, "with_past"))}
      FROM unnest($1::text[], $2::uuid[], $3::text[]) AS k (tenant_id, test_id, unit)
      JOIN ab_units AS u
        ON u.tenant_id = k.tenant_id AND u.test_id = k.test_id AND u.unit = k.unit
     ORDER BY u.tenant_id, u.test_id, u.unit
"""
_LOCK = f"{_READ} FOR UPDATE OF u"


async def locked(connection: Session, keys: Iterable[UnitKey]) -> dict[UnitKey, UnitState]:
    """Units, made where there were none; nobody else changes them until the transaction ends.

    Of one that counts by its past, what it did before is not known yet.
    """
    ordered = sorted(keys)
    columns = columns_of(ordered, len(_KEY))
    # First all that are missing, then the locks: whoever makes units holds none that others lock.
    await connection.execute(
        """
        INSERT INTO ab_units (tenant_id, test_id, unit, cell)
        SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::smallint[])
        ON CONFLICT (tenant_id, test_id, unit) DO NOTHING
        """,
        *columns,
        [cell_of(key) for key in ordered],
    )
    rows = await connection.fetch(_LOCK, *columns)
    return {UnitKey(*row[:3]): _state(row) for row in rows}


async def read(connection: Session, keys: Iterable[UnitKey]) -> dict[UnitKey, UnitState]:
    """Those of some units that there are, as they are now."""
    rows = await connection.fetch(_READ, *columns_of(sorted(keys), len(_KEY)))
    return {UnitKey(*row[:3]): _state(row) for row in rows}


async def update(connection: Session, units: Mapping[UnitKey, UnitState]) -> None:
    """Put units in the place of those that were."""
    rows = [_written(key, state) for key, state in units.items()]
    await stage(connection, "staged_ab_units", _WRITTEN, rows)
    await connection.execute(_UPDATE, sorted({key.tenant_id for key in units}))


def _state(row: Any) -> UnitState:
    first, last = len(_KEY), len(_KEY) + len(_STATE)
    past = NOTHING if row[-1] else None
    state: tuple[Any, ...] = (*row[first + 1 : last], row[last:-1], past)
    return UnitState(_read_seen(row[first]), *state)


def _written(key: UnitKey, state: UnitState) -> tuple[Any, ...]:
    seen = " ".join(f"{epoch}:{variant}" for epoch, variant in state.seen)
    home, with_past = state.home or (None, None), state.past is not None
    return (*key, seen, *state[1:6], *home, with_past, *state.totals)


@lru_cache(maxsize=4096)
def _read_seen(text: str) -> tuple[Seen, ...]:
    """`<epoch>:<variant>` by spaces, which no variant's key holds."""
    pairs = (part.split(":", 1) for part in text.split())
    return tuple((int(epoch), variant) for epoch, variant in pairs)
