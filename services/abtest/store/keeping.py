"""From rows to sums, within one transaction: new rows, then their units, then their arms.

Locks are taken in this order, and in the order of keys within each: two processes never cross.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from services.abtest.domain.batch import unrepeated
from services.abtest.domain.folding import Rows, by_unit, fold, moved, places_of
from services.abtest.domain.live import Tests
from services.abtest.domain.rows import Candidate
from services.abtest.queries import arms, events, units
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
    stored = await units.locked(connection, fresh)
    places = places_of(stored, fresh, tests)
    again = moved(stored, places)
    read: Rows = by_unit(await events.of_units(connection, again)) if again else {}
    changes = fold(stored, places, fresh, read, tests)
    await units.update(connection, changes.units)
    await arms.add_arms(connection, changes.arms, shard, as_of)
    await arms.add_sums(connection, changes.arms, shard)
    await arms.add_bins(connection, changes.arms, shard)
    await arms.add_days(connection, changes.days, shard)
    return new
