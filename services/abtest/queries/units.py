"""SQL of units. Rows are locked in the order of their keys, so that two processes never cross."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from services.abtest.domain.folding import cell_of
from services.abtest.domain.rows import NOTHING, TOTALS, UnitKey
from services.abtest.domain.units import Seen, UnitState
from shared.delivery.columns import columns_of, stage
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
# Keys are given in their order, and units answered by their place in it: to read keys takes longer.
_GIVEN = """
    unnest($1::text[], $2::uuid[], $3::text[]) WITH ORDINALITY AS k (tenant_id, test_id, unit, at)
"""
_READ = f"""
    SELECT k.at, {", ".join(f"u.{name}" for name in (*_STATE, *TOTALS, "with_past"))}
      FROM {_GIVEN} JOIN ab_units AS u
        ON u.tenant_id = k.tenant_id AND u.test_id = k.test_id AND u.unit = k.unit
     ORDER BY k.at
"""
_LOCK = f"{_READ} FOR UPDATE OF u"
# Not as a join: a plan by joining may read the whole table.
_UNKNOWN = f"""
    SELECT k.at FROM {_GIVEN}
     WHERE (SELECT true FROM ab_units AS u WHERE u.tenant_id = k.tenant_id
               AND u.test_id = k.test_id AND u.unit = k.unit) IS NULL
"""
_MADE = {"cell": "smallint", **_WRITTEN}
_MAKE = f"""
    WITH made AS (
        INSERT INTO ab_units ({", ".join(_MADE)})
        SELECT {", ".join(_MADE)} FROM pg_temp.staged_new_ab_units
         ORDER BY tenant_id, test_id, unit
        ON CONFLICT (tenant_id, test_id, unit) DO NOTHING
        RETURNING tenant_id, test_id, unit
    )
    SELECT s.tenant_id, s.test_id, s.unit FROM pg_temp.staged_new_ab_units AS s
     WHERE NOT EXISTS (SELECT FROM made AS m WHERE m.tenant_id = s.tenant_id
                          AND m.test_id = s.test_id AND m.unit = s.unit)
"""


async def unknown(connection: Session, keys: Iterable[UnitKey]) -> list[UnitKey]:
    """Those of some units that there are none of yet."""
    given = list(keys)
    rows = await connection.fetch(_UNKNOWN, *columns_of(given, len(_KEY)))
    return [given[row[0] - 1] for row in rows]


async def make(connection: Session, units: Mapping[UnitKey, UnitState]) -> set[UnitKey]:
    """Put new units down; answers those that somebody else made first, whose state is not ours."""
    rows = [(cell_of(key), *_written(key, state)) for key, state in units.items()]
    await stage(connection, "staged_new_ab_units", _MADE, rows)
    return {UnitKey(*row) for row in await connection.fetch(_MAKE)}


async def known(connection: Session, keys: Iterable[UnitKey]) -> dict[UnitKey, UnitState]:
    """Those of some units that there are; nobody else changes them until the transaction ends."""
    return await _states(connection, _LOCK, keys)


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
    return await _states(connection, _LOCK, ordered)


async def read(connection: Session, keys: Iterable[UnitKey]) -> dict[UnitKey, UnitState]:
    """Those of some units that there are, as they are now."""
    return await _states(connection, _READ, keys)


async def update(connection: Session, units: Mapping[UnitKey, UnitState]) -> None:
    """Put units in the place of those that were."""
    rows = [_written(key, state) for key, state in units.items()]
    await stage(connection, "staged_ab_units", _WRITTEN, rows)
    await connection.execute(_UPDATE, sorted({key.tenant_id for key in units}))


async def _states(
    connection: Session, statement: str, keys: Iterable[UnitKey]
) -> dict[UnitKey, UnitState]:
    ordered = sorted(keys)
    rows = await connection.fetch(statement, *columns_of(ordered, len(_KEY)))
    return {ordered[row[0] - 1]: _state(row[1:]) for row in rows}


def _state(row: Any) -> UnitState:
    seen, is_crossed, is_multiple, exposed_at, first_at, events, *_ = row
    totals, with_past = row[len(_STATE) : -1], row[-1]
    past = NOTHING if with_past else None
    return UnitState(
        _read_seen(seen), is_crossed, is_multiple, exposed_at, first_at, events, totals, past
    )


def _written(key: UnitKey, state: UnitState) -> tuple[Any, ...]:
    seen = " ".join(f"{epoch}:{variant}" for epoch, variant in state.seen)
    home, with_past = state.home or (None, None), state.past is not None
    return (*key, seen, *state[1:6], *home, with_past, *state.totals)


@lru_cache(maxsize=4096)
def _read_seen(text: str) -> tuple[Seen, ...]:
    """`<epoch>:<variant>` by spaces, which no variant's key holds."""
    pairs = (part.split(":", 1) for part in text.split())
    return tuple((int(epoch), variant) for epoch, variant in pairs)
