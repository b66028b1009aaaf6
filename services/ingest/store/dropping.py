"""Events that are erased when they come: stored nowhere, and counted once all the same."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from services.ingest.domain.batch import Read
from services.ingest.domain.dead import DeadLetter
from services.ingest.queries import erased, events, waiting
from services.ingest.queries.events import EventKey, EventTable
from shared.clock import utc_now
from shared.codec import microseconds
from shared.delivery.plan import Partition
from shared.delivery.postgres import Session
from shared.events.feedback import FeedbackEvent
from shared.events.operation import OperationEvent
from shared.measures.cells import Cells, add_into
from shared.measures.fold import fold_feedback
from shared.measures.identity import digest_of
from shared.privacy.known import KnownMarks
from shared.privacy.marks import Fit
from shared.privacy.named import fit_of
from shared.privacy.names import OPERATION, Names
from shared.privacy.retention import CLASSES

YOUNG = timedelta(days=min(CLASSES[name].least_days for name in ("operations", "feedback")) - 1)
"""What is younger was never let go of because of its age."""

Fold = Callable[[Sequence[int]], Cells]
"""From places of events to what they count for."""


class Dropping:
    """Knows marks, in the transaction of each batch."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._marks = KnownMarks(names)

    async def gone(self, connection: Session, good: Sequence[Read]) -> dict[int, Fit]:
        """Places of erased events, and the marks that fit them."""
        return await self._marks.erased(connection, [read.event for read in good])

    async def returned(
        self, connection: Session, table: EventTable, reads: Sequence[Read], fresh: Sequence[int]
    ) -> set[int]:
        """Places of new rows that are none: they were counted, let go of, and come again.

        Their rows go again. Asked after the insert, which has waited for whoever let them go.
        """
        since = microseconds(utc_now() - YOUNG)
        old = [place for place in fresh if reads[place].at_us < since] if table.by_day else []
        if not old:
            return set()
        names = {place: _name(reads[place]) for place in old}
        known = await erased.known(connection, sorted(names.values()))
        back = {place for place, (_, digest) in names.items() if digest in known}
        if back:
            keys = [EventKey(*reads[place].event.identity) for place in sorted(back)]
            await events.remove(connection, table, keys)
        return back

    async def unerased(self, connection: Session, dead: Sequence[DeadLetter]) -> list[DeadLetter]:
        """Dead letters but for those that bear an erased name."""
        marks = await self._marks.of(connection) if dead else None
        if marks is None or not marks.last:
            return list(dead)
        return [
            one
            for one in dead
            if fit_of(marks, one.tenant_id, one.record_timestamp, one.record_value) is None
        ]

    async def count(
        self,
        connection: Session,
        to: tuple[Partition, EventTable],
        reads: Sequence[tuple[Read, Fit]],
        fold: Fold,
    ) -> None:
        """Count events that came for the first time, and let others know of their operations."""
        partition, table = to
        first = await _unstored(connection, table, [read for read, _ in reads])
        counted = [
            (reads[place][0].event.tenant_id, name, *partition, reads[place][0].record.offset)
            for name, place in first.items()
        ]
        now = utc_now()
        new = await erased.count(connection, [(*one, now) for one in counted]) if counted else set()
        fresh = sorted(first[name] for name in new)
        cells = fold(fresh)
        joined = await _joined(connection, [reads[place][0] for place in fresh])
        for key, cell in joined.items():
            add_into(cells.setdefault(key, {}), cell)
        for minutes in (events.MINUTES, events.ERASED_MINUTES):
            await events.add_rollups(connection, *partition, cells, minutes)
        await self._follow(connection, [reads[place] for place in fresh])

    async def _follow(self, connection: Session, reads: Sequence[tuple[Read, Fit]]) -> None:
        """Let others know of operations, all at once: in an order of their own, two would cross."""
        found = [(one.event, fit) for one, fit in reads if isinstance(one.event, OperationEvent)]
        if not found:
            return
        names = [
            (
                one.tenant_id,
                self._names.digest(one.tenant_id, OPERATION, one.operation_id),
                fit.before,
            )
            for one, fit in found
        ]
        await erased.name(connection, names)
        alike: dict[tuple[str, datetime, bool], set[str]] = {}
        for event, fit in found:
            key = event.tenant_id, fit.before, fit.with_unit
            alike.setdefault(key, set()).add(event.operation_id)
        for (tenant_id, before, with_unit), some in sorted(alike.items()):
            operations = [(one, None) for one in sorted(some)]
            await erased.follow(
                connection, (tenant_id, None, before), operations, with_unit=with_unit
            )


def _name(read: Read) -> tuple[str, bytes]:
    tenant_id, event_id = read.event.tenant_id, read.event.event_id
    return tenant_id, digest_of(tenant_id, event_id, read.at_us)


async def _unstored(
    connection: Session, table: EventTable, reads: Sequence[Read]
) -> dict[bytes, int]:
    """The first place of each identity that is not stored: what is, its eraser counts.

    Asked before digests are: he stores the digest as he deletes the row.
    """
    keys = [EventKey(*read.event.identity) for read in reads]
    stored = await events.stored_hashes(connection, table, keys)
    first: dict[bytes, int] = {}
    for place, (read, key) in enumerate(zip(reads, keys, strict=True)):
        if key not in stored:
            first.setdefault(_name(read)[1], place)
    return first


async def _joined(connection: Session, reads: Sequence[Read]) -> Cells:
    """Cells of feedback that names no model, under its operation's: it does not stay to wait."""
    said = [
        (read.event, read.at_us)
        for read in reads
        if isinstance(read.event, FeedbackEvent) and read.event.model_id is None
    ]
    if not said:
        return {}
    asked = sorted({(event.tenant_id, event.operation_id) for event, _ in said})
    found = await waiting.series_of(connection, asked)
    return fold_feedback(
        (event, at_us, series)
        for event, at_us in said
        if (series := found.get((event.tenant_id, event.operation_id))) is not None
    )
