"""feedback's part of an erasure: votes go, and rows are made anew without them.

A person's votes are deleted and their operations noted as due, so that the maker does the rest. An
erased operation leaves all tables at once. Both leave datasets, and raters' sums, once nobody can
put anything back: sums when the rows are made anew, datasets when none is being copied.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from services.feedback.domain.making import CORRECTION, REFUSED, row_id
from services.feedback.queries import due as making
from services.feedback.queries import erasing as queries
from services.feedback.store.forgetting import Forgetting
from shared.clock import Clock
from shared.delivery.postgres import Session
from shared.privacy import due
from shared.privacy.eraser import Did, Noted
from shared.privacy.names import USER
from shared.privacy.tasks import Task

VOTES, FOLLOW = "votes", "follow"
PORTION = 500


class PostgresErasing:
    """Erases what feedback keeps."""

    def __init__(self, new_id: Callable[[], UUID], now: Clock) -> None:
        self._forgetting = Forgetting(new_id, now)

    async def erase(self, connection: Session, task: Task) -> Did:
        """A person's votes; then what follows from them and from ingest's rows."""
        pseudonym = task.subject.get(USER)
        is_person = task.subject.keys() == {USER}
        if task.position.get("stage", VOTES) == VOTES:
            if not is_person or pseudonym is None:
                return Did(0, {"stage": FOLLOW})
            of, span = (task.tenant_id, pseudonym), (task.since, task.before)
            taken = await queries.take_votes(connection, of, span, PORTION)
            await _unsaid(connection, task.tenant_id, task.erasure_id, taken, task.before)
            return Did(len(taken), {"stage": VOTES if len(taken) == PORTION else FOLLOW})
        if not await due.followed(connection, task, "ingest"):
            return Did(waits=True)
        if is_person and pseudonym is not None:
            if not await queries.try_night(connection):
                return Did(waits=True)
            await queries.forget_rater(connection, task.tenant_id, pseudonym)
        return Did()

    async def noted(self, connection: Session, tenant_id: str, notes: Sequence[Any]) -> Noted:
        """Operations, single feedback, and what is left to be done once rows are made anew."""
        work = _sorted(notes)
        # First: what is kept of these operations may go with them.
        removed = await _votes(connection, tenant_id, work.votes)
        done, half, later = list(work.votes), list[Any](), list[Any]()
        if await queries.is_freezing(connection, tenant_id):
            later += [*work.raters, *work.again]
        else:
            asked = [(one["operation_id"], one["row_id"]) for one in work.raters]
            waiting = await self._forgetting.raters(connection, tenant_id, asked)
            _split(work.raters, waiting, done, later)
            waiting = await self._forgetting.again(connection, tenant_id, _names(work.again))
            _split(work.again, waiting, done, later)
        names = _names(work.operations)
        counts, waiting = await self._forgetting.operations(connection, tenant_id, names)
        _split(work.operations, waiting, half, later)
        for one in work.operations:
            # Of two erasures of an operation, the first has removed it.
            removed[one["erasure_id"]] += counts.pop(one["operation_id"], 0)
        if later and len(notes) > len(later):
            again = sorted(one["due_id"] for one in later)
            await queries.note_again(connection, again, tenant_id)
        counted = {key: count for key, count in removed.items() if key is not None and count}
        return Noted(_ids(done), _ids(half), counted)


class _Work(NamedTuple):
    """Notes by what there is to do."""

    votes: list[Any]
    raters: list[Any]
    operations: list[Any]
    again: list[Any]


def _sorted(notes: Sequence[Any]) -> _Work:
    work = _Work([], [], [], [])
    for one in notes:
        if one["what"] == "event":
            work.votes.append(one)
        elif one["what"] == "rater":
            work.raters.append(one)
        else:
            (work.again if one["done_once"] else work.operations).append(one)
    return work


def _split(
    notes: Sequence[Any], waiting: Collection[str], done: list[Any], later: list[Any]
) -> None:
    for one in notes:
        (later if one["operation_id"] in waiting else done).append(one)


def _names(notes: Sequence[Any]) -> list[str]:
    return sorted({one["operation_id"] for one in notes})


def _ids(notes: Sequence[Any]) -> list[int]:
    return [one["due_id"] for one in notes]


async def _votes(connection: Session, tenant_id: str, notes: Sequence[Any]) -> Counter[UUID | None]:
    """Single feedback, together: of all that somebody said, the last word counts."""
    asked: dict[tuple[UUID | None, datetime], list[UUID]] = {}
    for one in notes:
        asked.setdefault((one["erasure_id"], one["erased_before"]), []).append(one["event_id"])
    removed: Counter[UUID | None] = Counter()
    for (erasure_id, before), events in asked.items():
        rows = await queries.take_said(connection, tenant_id, events, before)
        await _unsaid(connection, tenant_id, erasure_id, rows, before)
        removed[erasure_id] += len(rows)
    return removed


async def _unsaid(
    connection: Session,
    tenant_id: str,
    erasure_id: UUID | None,
    taken: Sequence[Any],
    before: Any,
) -> None:
    """Votes are gone: their operations are made anew, and then sums and datasets forget them.

    What the person did not want to be trained on stays out: else to be erased would let it in.
    """
    said = {row["operation_id"]: row["consent"] for row in sorted(taken, key=_when) if _speaks(row)}
    kept_out = [
        (one, row_id(tenant_id, one, REFUSED)) for one, consent in said.items() if consent is False
    ]
    if kept_out:
        await queries.refuse(connection, tenant_id, kept_out)
    await making.note(connection, [(tenant_id, row["operation_id"]) for row in taken])
    await due.note(
        connection,
        [
            due.Note(
                *(tenant_id, "feedback", erasure_id, "rater", row["operation_id"]),
                row_id=_row_of(tenant_id, row),
                erased_before=before,
            )
            for row in taken
        ],
    )


def _when(row: Any) -> datetime:
    at: datetime = row["occurred_at"]
    return at


def _speaks(row: Any) -> bool:
    return row["consent"] is not None


def _row_of(tenant_id: str, row: Any) -> UUID | None:
    text = (row["correction"] or "").strip()
    return row_id(tenant_id, row["operation_id"], CORRECTION, text) if text else None
