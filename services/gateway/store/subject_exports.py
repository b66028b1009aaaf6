"""Exports of a person's data in Postgres: asked for, made portion by portion, read, and ended.

A portion is one transaction under the export's lock: whoever is killed leaves whole portions, and
another gateway goes on behind the last of them.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg
import structlog
from pydantic_core import from_json

from services.gateway.domain.problems import Problem
from services.gateway.domain.subject_exports import (
    AskedExport,
    erased_export,
    export_view,
    is_of,
    letter_line,
    no_export,
    of_export_made,
    of_export_read,
    place_of,
)
from services.gateway.queries import subject_exports as queries
from services.gateway.queries.subject_classes import CLASSES
from services.gateway.store.sessions import Sessions
from services.gateway.store.subject_portions import Portions
from shared.delivery.faults import FAULTS
from shared.delivery.postgres import Session
from shared.privacy.names import USER, Names
from shared.privacy.tasks import Task

MOST_OPEN = 100
MOST_KNOWN = 10_000
"""Dead letters, and reviews, that are found by the name itself."""
REMOVED_AT_ONCE = 200
LETTERS = "dead_letters"

log = structlog.get_logger()


class PostgresSubjectExports:
    """One transaction per question, change or portion."""

    def __init__(self, sessions: Sessions, names: Names) -> None:
        self._sessions = sessions
        self._portions = Portions(names)

    async def add(
        self, tenant_id: str, asked: AskedExport, needles: Sequence[bytes], name: str
    ) -> dict[str, Any]:
        """Keep what is asked for; `needles` and `name` are looked for now, and forgotten."""
        async with self._sessions.writing(tenant_id) as connection:
            if await queries.count_open(connection, tenant_id) >= MOST_OPEN:
                raise Problem("conflict", f"{MOST_OPEN} exports are being made; wait for some.")
            reviews = await queries.reviews_by(connection, tenant_id, name, MOST_KNOWN)
            known = {
                "reviews": [[str(queue), operation, place] for queue, operation, place in reviews],
                "letters": await _bearing(connection, tenant_id, needles),
            }
            await queries.insert(connection, tenant_id, asked, known)
            await self._sessions.record(connection, tenant_id, of_export_made(asked))
        return export_view(await self.get(tenant_id, asked.export_id))

    async def get(self, tenant_id: str, export_id: UUID) -> Any:
        """One export; a 404 where there is none, a 409 where its person was erased."""
        async with self._sessions.reading(tenant_id) as connection:
            row = await queries.get(connection, tenant_id, export_id)
        if row is None:
            raise no_export(export_id)
        if row["status"] == "erased":
            raise erased_export(export_id)
        return row

    async def reads(self, tenant_id: str, row: Any) -> Sequence[Any]:
        """Tell the audit log that an export is about to be read; answers its parts."""
        await self._sessions.record_read(tenant_id, of_export_read(row))
        async with self._sessions.reading(tenant_id) as connection:
            return await queries.parts(connection, tenant_id, row["export_id"])

    async def bodies(
        self, tenant_id: str, export_id: UUID, parts: Sequence[Any]
    ) -> AsyncGenerator[bytes, None]:
        """Parts, one at a time. What is erased meanwhile breaks the file off."""
        for part in parts:
            async with self._sessions.reading(tenant_id) as connection:
                body = await queries.part(connection, tenant_id, export_id, part["seq"])
                if body is None:
                    raise RuntimeError("the export ended while it was read")
                if part["class"] == LETTERS:
                    body = await _letters(connection, tenant_id, body)
            yield body

    async def step_all(self) -> bool:
        """A portion of each export that is to be made; answers whether anything moved."""
        async with self._sessions.connected() as connection:
            found = await queries.open_exports(connection)
        return any([await self.step(*key) for key in found])

    async def step(self, tenant_id: str, export_id: UUID) -> bool:
        """One portion, unless another gateway is at it."""
        async with self._sessions.writing(tenant_id) as connection:
            row = await queries.locked(connection, tenant_id, export_id)
            if row is None:
                return False
            position = from_json(row["position"])
            stage, seq = position.get("stage", 0), position.get("seq", 0)
            portion = await self._portions.of(connection, tenant_id, row, position)
            if portion.lines:
                seq += 1
                key, found = (tenant_id, export_id, seq), (portion.lines, portion.operations)
                await queries.add_part(connection, key, CLASSES[stage].name, found)
            FAULTS.reach("subject-export.portion")
            following: dict[str, Any] | None
            if portion.following is not None:
                following = {**portion.following, "stage": stage, "seq": seq}
            else:
                following = {"stage": stage + 1, "seq": seq} if stage + 1 < len(CLASSES) else None
            await queries.moved(connection, tenant_id, export_id, following)
        FAULTS.reach("subject-export.stored")
        return True

    async def end_old(self) -> bool:
        """Delete a portion of each export whose time is over; answers whether there was any."""
        async with self._sessions.connected() as connection:
            found = await queries.ended_exports(connection)
        for tenant_id, export_id in found:
            async with self._sessions.writing(tenant_id) as connection:
                some = await queries.remove_parts(
                    connection, tenant_id, [export_id], REMOVED_AT_ONCE
                )
                if not some:
                    await queries.remove(connection, tenant_id, export_id)
        return bool(found)


async def forget(connection: Session, task: Task) -> tuple[int, Mapping[str, Any] | None]:
    """Let exports hold nothing of what an erasure erases: how much went, and where to go on.

    Called once all services have erased. Those of an erased person end; all others that may hold
    some of it are made anew. One that is being made is waited for: its lock is held as long as a
    portion takes, and whoever makes the next one reads what there is by then.
    """
    tenant_id, position = task.tenant_id, task.position
    if "exports" not in position:
        found = await _concerned(connection, task)
        return 0, {"exports": [str(one) for one in found]} if found else None
    exports = [UUID(one) for one in position["exports"]]
    gone = await queries.remove_parts(connection, tenant_id, exports, REMOVED_AT_ONCE)
    if gone:
        return gone, position
    await queries.cleared(connection, tenant_id, exports)
    return 0, None


async def _concerned(connection: Session, task: Task) -> list[UUID]:
    tenant_id, subject = task.tenant_id, task.subject
    # Apart from what follows: that must see what was written under each lock.
    await queries.lock_all(connection, tenant_id)
    person = subject.get(USER)
    if task.kind == "operation":
        return await queries.clear(connection, tenant_id, None, subject["operation_id"])
    ended: list[UUID] = []
    if person is not None and subject.keys() == {USER} and task.since is None:
        ended = await queries.erase_those_of(connection, tenant_id, person, task.before)
    return ended + await queries.clear(connection, tenant_id, person, None)


async def _bearing(
    connection: Session, tenant_id: str, needles: Sequence[bytes]
) -> list[Sequence[Any]]:
    """Places of dead letters in which a name stands; of too many, those by their fields only."""
    try:
        async with connection.transaction():
            found = await queries.letters(connection, queries.BEGIN, needles, MOST_KNOWN)
    except asyncpg.QueryCanceledError:
        log.warning("dead_letters_not_searched", why="there are too many")
        return []
    return [place_of(one) for one in found if is_of(one, tenant_id)]


async def _letters(connection: Session, tenant_id: str, body: bytes) -> bytes:
    """Dead letters themselves, of their places: a copy would keep the name."""
    lines = []
    for line in body.splitlines():
        topic, partition, offset = from_json(line)
        at = (topic, partition, offset - 1)
        lines += [
            letter_line(one)
            for one in await queries.letters(connection, at, None, 1)
            if place_of(one) == [topic, partition, offset] and is_of(one, tenant_id)
        ]
    return "".join(f"{line}\n" for line in lines).encode()
