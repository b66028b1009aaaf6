"""abtest's part of an erasure: units keep what they counted for, and lose their names.

Sums are never touched, so verdicts stay. A unit's new name is drawn until it falls into the same
group: response times are kept by groups of units.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from services.abtest.domain.folding import cell_of, group_of
from services.abtest.domain.rows import UnitKey
from services.abtest.queries import erasing as queries
from shared.delivery.postgres import Session
from shared.privacy import due
from shared.privacy.eraser import Did, Noted
from shared.privacy.names import SESSION, UNIT, USER, Names
from shared.privacy.tasks import OWN_NUMBER, Task, is_known, is_settled

UNITS, FOLLOW, PAST = "units", "follow", "past"
ERASED = "erased."


class PostgresErasing:
    """Takes names out of what abtest has stored."""

    def __init__(self, names: Names) -> None:
        self._names = names

    async def erase(self, connection: Session, task: Task) -> Did:
        """Units by their names; then what ingest notes; then pasts that were read meanwhile."""
        stage = task.position.get("stage", UNITS)
        if stage == UNITS:
            return Did(await self._units(connection, task), {"stage": FOLLOW})
        if stage == FOLLOW:
            if not await due.followed(connection, task, "ingest"):
                return Did(waits=True)
            return Did(0, {"stage": PAST})
        if not await _is_known(connection, task.position.get("xid")):
            # Whoever read rows before ingest erased them has a smaller number than a transaction
            # that begins only now: the one that saw ingest's receipt may have begun before it.
            number = await connection.fetchval(OWN_NUMBER)
            return Did(0, {"stage": PAST, "xid": number})
        if not await is_settled(connection, task.position["xid"]):
            return Did(waits=True)
        return Did(await self._pasts(connection, task))

    async def noted(self, connection: Session, tenant_id: str, notes: Sequence[Any]) -> Noted:
        """Operations, one by one, and the units that did them where those are the person."""
        removed: dict[UUID, int] = {}
        for one in notes:
            before, operation_id = one["erased_before"], one["operation_id"]
            keys = await queries.units_of(connection, tenant_id, operation_id, before)
            count = 0
            for key in keys:
                if one["with_unit"] and not key.unit.startswith(ERASED):
                    said = self._names.digest(tenant_id, UNIT, key.unit)
                    await queries.name_unit(connection, tenant_id, said, before)
                    count += await _rename(connection, key, before)
                else:
                    count += await queries.unname(connection, key, operation_id, before)
            await queries.remove_waiting(connection, tenant_id, operation_id)
            if one["erasure_id"] is not None:
                removed[one["erasure_id"]] = removed.get(one["erasure_id"], 0) + count
        return Noted([one["due_id"] for one in notes], [], removed)

    async def _units(self, connection: Session, task: Task) -> int:
        named = self._named(task)
        keys = await queries.units_named(connection, task.tenant_id, named) if named else []
        return sum([await _rename(connection, key, task.before) for key in keys])

    async def _pasts(self, connection: Session, task: Task) -> int:
        named = self._named(task)
        keys = await queries.pasts_named(connection, task.tenant_id, named) if named else []
        for key in keys:
            if not await _rename(connection, key, task.before):
                await queries.remove_past(connection, key)
        return len(keys)

    def _named(self, task: Task) -> list[str]:
        """Units that are the erased person, or the erased session."""
        if not task.with_units:
            return []
        found = [task.subject[USER]] if USER in task.subject else []
        if SESSION in task.subject:
            found.append(self._names.pseudonym(task.tenant_id, task.subject[SESSION]))
        return found


async def _is_known(connection: Session, number: int | None) -> bool:
    return number is not None and await is_known(connection, number)


async def _rename(connection: Session, key: UnitKey, before: datetime) -> int:
    """Take a unit's name; answers how many of its events had it."""
    if not await queries.lock(connection, key):
        return 0
    return await queries.rename(connection, key, _new_name(key), before)


def _new_name(key: UnitKey) -> tuple[str, int]:
    group = group_of(cell_of(key))
    while True:
        unit = f"{ERASED}{uuid4().hex}"
        cell = cell_of(key._replace(unit=unit))
        if group_of(cell) == group:
            return unit, cell
