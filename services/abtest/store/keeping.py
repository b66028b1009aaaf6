"""From rows to sums, within one transaction: new rows, then their units, then their arms.

Locks are taken in this order, and in the order of keys within each: two processes never cross.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from services.abtest.domain.batch import unrepeated
from services.abtest.domain.folding import Pasts, Rows, by_unit, fold, moved, places_of
from services.abtest.domain.live import Tests
from services.abtest.domain.rows import NOTHING, Candidate, UnitKey
from services.abtest.domain.units import UnitState
from services.abtest.queries import arms, events, past, units
from services.abtest.queries.columns import ALWAYS_PLAN
from shared.delivery.postgres import Session

Identities = set[tuple[UUID, UUID, datetime]]


async def keep(
    connection: Session, found: Iterable[Candidate], tests: Tests, shard: int, as_of: datetime
) -> Identities:
    """Keep rows and all that follows from them; answers which of them are new."""
    rows = unrepeated(found)
    if not rows:
        return set()
    await connection.execute(ALWAYS_PLAN)
    new = await events.insert(connection, rows)
    fresh = by_unit(row for row in rows if row.identity in new)
    if not fresh:
        return new
    await change(connection, fresh, tests, shard, as_of)
    return new


async def change(
    connection: Session, fresh: Rows, tests: Tests, shard: int, as_of: datetime
) -> None:
    """Units by fresh rows, and without any by their test as it is now; then their arms."""
    stored, pasts = await locked(connection, fresh, tests)
    places = places_of(stored, fresh, tests, pasts)
    again = moved(stored, places)
    read: Rows = by_unit(await events.of_units(connection, again)) if again else {}
    changes = fold(stored, places, fresh, read, tests)
    await units.update(connection, changes.units)
    await arms.add_arms(connection, changes.arms, shard, as_of)
    await arms.add_sums(connection, changes.arms, shard)
    await arms.add_bins(connection, changes.arms, shard)
    await arms.add_days(connection, changes.days, shard)


async def locked(
    connection: Session, keys: Iterable[UnitKey], tests: Tests
) -> tuple[dict[UnitKey, UnitState], Pasts]:
    """Units that nobody else changes, and what they did before their test where it counts."""
    stored = await units.locked(connection, keys)
    return await _with_pasts(connection, stored, stored, tests)


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
