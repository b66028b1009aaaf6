"""The marks, read inside the transaction of a batch.

Whoever erases lets every transaction end that may not have seen a mark (`shared/privacy/tasks.py`),
and for that a batch must have written something before it asks here: its fence.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pydantic_core import from_json

from shared.delivery.columns import columns_of
from shared.delivery.postgres import Session
from shared.events.base import Event
from shared.privacy.marks import Fit, Mark, Marks
from shared.privacy.names import Names

_LAST = "SELECT seq, erasure_id FROM erased_subjects ORDER BY seq DESC LIMIT 1"
_THERE = "SELECT EXISTS (SELECT FROM erased_subjects WHERE seq = $1 AND erasure_id = $2)"
_NEW = """
    SELECT seq, tenant_id, names, erased_from, erased_before, erasure_id
      FROM erased_subjects WHERE seq > $1
"""
_NAMED = """
    SELECT n.tenant_id, n.digest, n.erased_before
      FROM unnest($1::text[], $2::text[]) AS k (tenant_id, digest)
      JOIN erased_names AS n ON n.tenant_id = k.tenant_id AND n.digest = k.digest
"""


class KnownMarks:
    """Marks of all tenants; new ones are read when there are any."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._marks = Marks(names)
        self._last: tuple[int, UUID] | None = None
        """The last mark that was read, and whose it is."""

    async def of(self, connection: Session) -> Marks:
        """All marks that are committed by now."""
        found = await connection.fetchrow(_LAST)
        last = None if found is None else (found[0], found[1])
        if last == self._last:
            return self._marks
        marks = self._marks
        if self._last is not None and not await connection.fetchval(_THERE, *self._last):
            # A standby took over that had not got it: its number may be another's by now.
            marks = Marks(self._names)
        rows = await connection.fetch(_NEW, marks.last)
        marks.add(_mark(row) for row in rows)
        # No await from here on: others ask meanwhile, and must find both or neither.
        self._marks, self._last = marks, last
        for row in rows:
            if self._last is None or row["seq"] > self._last[0]:
                self._last = row["seq"], row["erasure_id"]
        return marks

    async def erased(self, connection: Session, events: Sequence[Event]) -> dict[int, Fit]:
        """Places of those events that are erased, and why."""
        marks = await self.of(connection)
        if not marks.last:
            return {}
        concerned = [place for place, event in enumerate(events) if event.tenant_id in marks]
        found = {place: fit for place in concerned if (fit := marks.erase(events[place]))}
        follows = [
            (place, (events[place].tenant_id, name))
            for place in concerned
            if place not in found and (name := marks.consequence(events[place])) is not None
        ]
        if follows:
            asked = columns_of(sorted({key for _, key in follows}), 2)
            known = {(row[0], row[1]): row[2] for row in await connection.fetch(_NAMED, *asked)}
            found |= {
                place: Fit(known[key], with_unit=False)
                for place, key in follows
                if key in known and events[place].occurred_at < known[key]
            }
        return found


def _mark(row: Any) -> Mark:
    seq, tenant_id, names, since, before, _ = row
    return Mark(seq, tenant_id, from_json(names), since, before)
