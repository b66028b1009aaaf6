"""From rows to sums, within one transaction: new rows, then their units, then their arms.

Locks are taken in this order, and in the order of keys within each: two processes never cross.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from services.abtest.domain.batch import unrepeated
from services.abtest.domain.folding import Changes, Pasts, Rows, by_unit, fold, places_of, remakings
from services.abtest.domain.live import Tests
from services.abtest.domain.recounting import add
from services.abtest.domain.rows import NOTHING, Candidate, UnitKey
from services.abtest.domain.units import BLANK, UnitState
from services.abtest.queries import arms, events, past, units
from shared.delivery.columns import ALWAYS_PLAN
from shared.delivery.postgres import Session


class UnitGoneError(Exception):
    """Somebody took the name of a unit while a batch waited for it: the batch begins anew."""


async def keep(
    connection: Session, found: Iterable[Candidate], tests: Tests, shard: int, as_of: datetime
) -> list[Candidate]:
    """Keep rows and all that follows from them; answers those that are new, each once."""
    rows = unrepeated(found)
    if not rows:
        return []
    await connection.execute(ALWAYS_PLAN)
    old = await events.insert(connection, rows)
    new = [row for row in rows if row.identity not in old] if old else rows
    if new:
        await change(connection, by_unit(new), tests, shard, as_of)
    return new


async def change(
    connection: Session, fresh: Rows, tests: Tests, shard: int, as_of: datetime
) -> None:
    """Units by fresh rows, and without any by their test as it is now; then their arms."""
    # First all that are missing, then the locks: whoever makes units holds none that others lock.
    missing = set(await units.unknown(connection, fresh))
    changes = await _made(connection, {key: fresh[key] for key in missing if fresh[key]}, tests)
    gone = {key for key in missing if not fresh[key]}  # removed since somebody asked for it
    known = {k: rows for k, rows in fresh.items() if k not in changes.units and k not in gone}
    add(changes, await _grown(connection, known, tests))
    await arms.add_arms(connection, changes.arms, shard, as_of)
    await arms.add_sums(connection, changes.arms, shard)
    await arms.add_bins(connection, changes.arms, shard)
    await arms.add_days(connection, changes.days, shard)


async def _made(connection: Session, fresh: Rows, tests: Tests) -> Changes:
    """Units that there were none of, written once; but for those that others made meanwhile."""
    if not fresh:
        return Changes()
    nothing = dict.fromkeys(fresh, BLANK)
    _, pasts = await _with_pasts(connection, fresh, {}, tests)
    places = places_of(nothing, fresh, tests, pasts)
    changes = fold(nothing, places, fresh, {}, tests)
    lost = await units.make(connection, changes.units)
    if not lost:
        return changes
    ours = {key: rows for key, rows in fresh.items() if key not in lost}
    return fold(nothing, places, ours, {}, tests)


async def _grown(connection: Session, fresh: Rows, tests: Tests) -> Changes:
    """Units that were there."""
    if not fresh:
        return Changes()
    stored = await units.known(connection, fresh)
    if len(stored) < len(fresh):
        raise UnitGoneError("a unit lost its name meanwhile; what it did then comes again")
    stored, pasts = await _with_pasts(connection, stored, stored, tests)
    places = places_of(stored, fresh, tests, pasts)
    again = remakings(stored, places, fresh, tests)
    if again:
        async for rows in events.of_units(connection, again):
            for key, mine in by_unit(rows).items():
                again[key].add(mine)
    remade = {key: one.made for key, one in again.items()}
    changes = fold(stored, places, fresh, remade, tests)
    await units.update(connection, changes.units)
    return changes


async def read(
    connection: Session, keys: Collection[UnitKey], tests: Tests
) -> tuple[dict[UnitKey, UnitState], Pasts]:
    """Those of some units that there are, as they are now, and what all did before their test."""
    return await _with_pasts(connection, keys, await units.read(connection, keys), tests)


async def _with_pasts(
    connection: Session, keys: Iterable[UnitKey], stored: dict[UnitKey, UnitState], tests: Tests
) -> tuple[dict[UnitKey, UnitState], Pasts]:
    """Asks only where it counts: tests without a past do not pay for one."""
    counting = {key for key, state in stored.items() if state.past is not None}
    wanted = [
        key for key in keys if key in counting or tests[key.tenant_id][key.test_id].past.has_units
    ]
    if not wanted:
        return stored, {}
    pasts = await past.of_units(connection, wanted)
    for key in counting:
        stored[key] = stored[key]._replace(past=pasts.get(key, NOTHING))
    return stored, pasts
