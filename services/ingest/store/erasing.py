"""ingest's part of an erasure: rows, dead letters, and what minutes counted of them.

Rows are walked by time, newest first, so many at once, and found by their operation where that is
named. Everything that another service has to erase because of a row is noted with its deletion.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from services.ingest.queries import erased
from services.ingest.store.letting_go import (
    FEEDBACK,
    LETTER,
    OPERATIONS,
    ROWS,
    SAID,
    Table,
    let_go,
)
from shared.clock import Clock
from shared.delivery.postgres import Session
from shared.privacy import due
from shared.privacy.eraser import Did, Noted
from shared.privacy.known import KnownMarks
from shared.privacy.named import fit_of
from shared.privacy.names import OPERATION, Names
from shared.privacy.tasks import Task, is_answered
from shared.topics import DEAD_LETTER_RETENTION_MS

WALKED = 20_000
LETTERS = 500
NOTES = "notes"
KAFKA_KEEPS = timedelta(milliseconds=DEAD_LETTER_RETENTION_MS)


class PostgresErasing:
    """Erases what ingest has stored."""

    def __init__(self, names: Names, now: Clock) -> None:
        self._names = names
        self._now = now
        self._marks = KnownMarks(names)

    async def erase(self, connection: Session, task: Task) -> Did:
        """One portion: first operations, then feedback, dead letters, and what was noted."""
        stage = task.position.get("stage", OPERATIONS)
        if stage == OPERATIONS:
            return await self._walk(connection, task, ROWS)
        if stage == FEEDBACK:
            return await self._walk(connection, task, SAID)
        if stage == LETTER:
            return await self._letters(connection, task)
        return Did(waits=await due.left(connection, task))

    async def kafka(self, connection: Session, task: Task) -> Did:
        """Nobody takes a record out of a log: it ages, and until then no consumer stores it."""
        if not await is_answered(connection, task, task.service, "postgres"):
            return Did(waits=True)
        return Did(removed=None, until=self._now() + KAFKA_KEEPS)

    async def noted(self, connection: Session, tenant_id: str, notes: Sequence[Any]) -> Noted:
        """What people said of erased operations goes with them, or follows their new names."""
        removed: Counter[UUID] = Counter()
        done: list[int] = []
        where = "tenant_id = $1 AND operation_id = ANY($2) AND occurred_at < $3"
        for (erasure_id, before, new_name), part in _alike(notes).items():
            said: tuple[Any, ...] = (tenant_id, [one["operation_id"] for one in part], before)
            table, mode, which = SAID, "erase", where
            if new_name is not None:
                said, mode, which = (*said, new_name), "anonymise", f"{where} AND $4::text <> ''"
                table = SAID._replace(unnamed=f"operation_id = $4, {SAID.unnamed}")
            rows = await let_go(connection, table, (which, said), mode)
            if len(rows) < erased.MOST_ROWS:
                done += [one["due_id"] for one in part]
            if erasure_id is not None and rows:
                removed[erasure_id] += len(rows)
        return Noted(done, [], removed)

    async def _walk(self, connection: Session, task: Task, table: Table) -> Did:
        done = {"stage": table.following}
        found = erased.condition(task, table.fields, 4)
        if found is None:
            return Did(0, done)
        at = datetime.fromisoformat(task.position.get("at", task.before.isoformat()))
        since = task.since or datetime.min.replace(tzinfo=UTC)
        low = since
        if OPERATION not in task.subject:  # by which both tables have an index
            step = await erased.low(connection, table.name, task, at, WALKED)
            low = max(since, step) if step is not None else since
        where, values = found
        span = f"tenant_id = $1 AND occurred_at < $2 AND occurred_at >= $3 AND {where}"
        taken = (span, (task.tenant_id, at, low, *values))
        rows = await let_go(connection, table, taken, task.mode)
        await self._follow(connection, task, table, rows)
        if len(rows) >= erased.MOST_ROWS:  # perhaps not all of this span
            return Did(len(rows), {"stage": table.stage, "at": at.isoformat()})
        is_last = low <= since
        return Did(len(rows), done if is_last else {"stage": table.stage, "at": low.isoformat()})

    async def _follow(
        self, connection: Session, task: Task, table: Table, rows: Sequence[Any]
    ) -> None:
        """Let all others erase what they keep of these rows."""
        tenant_id = task.tenant_id
        if table.name == SAID.name:
            await due.note(
                connection,
                [
                    due.Note(
                        *(tenant_id, "feedback", task.erasure_id, "event"),
                        *(row["operation_id"], row["event_id"]),
                        erased_before=task.before,
                    )
                    for row in rows
                ],
            )
            return
        replaced = {row["operation_id"]: row.get("replaced_by") for row in rows}
        if OPERATION in task.subject:  # also where no row is stored: somebody may speak of it
            new_name = f"erased.{uuid4()}" if task.mode == "anonymise" else None
            replaced.setdefault(task.subject[OPERATION], new_name)
        names = [
            (tenant_id, self._names.digest(tenant_id, OPERATION, one), task.before)
            for one in replaced
        ]
        if names:
            await erased.name(connection, names)
            of = (tenant_id, task.erasure_id, task.before)
            await erased.follow(connection, of, sorted(replaced.items()), with_unit=task.with_units)

    async def _letters(self, connection: Session, task: Task) -> Did:
        after = task.position.get("after", ["", -1, -(2**62)])
        marks = await self._marks.of(connection)
        rows = await erased.letters(connection, task.tenant_id, after, LETTERS)
        gone = [
            tuple(row[:3])
            for row in rows
            if fit_of(marks, row["tenant_id"], row["record_timestamp"], row["record_value"])
        ]
        if gone:
            await erased.remove_letters(connection, gone)
        if len(rows) < LETTERS:
            return Did(len(gone), {"stage": NOTES})
        return Did(len(gone), {"stage": LETTER, "after": list(rows[-1][:3])})


def _alike(notes: Sequence[Any]) -> dict[tuple[UUID | None, datetime, str | None], list[Any]]:
    """Notes that one statement does: of one erasure, and to be called the same."""
    found: dict[tuple[UUID | None, datetime, str | None], list[Any]] = {}
    for one in notes:
        key = one["erasure_id"], one["erased_before"], one["replaced_by"]
        found.setdefault(key, []).append(one)
    return found
