"""Portions of a person's data: how each kind of class goes through its rows."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic_core import from_json, to_json

from services.gateway.domain.subject_exports import bears, place_of
from services.gateway.queries import subject_exports as queries
from services.gateway.queries.subject_classes import CLASSES, Follow, Named, Special, Walk
from shared.delivery.postgres import Session
from shared.privacy.names import Names

WALKED = 20_000
"""Rows among which those of a person are looked for at once."""
MOST_LINES = 50
"""A row holds up to 100 KB of texts."""
MOST_LETTERS = 20
BEGIN_AT = datetime(9999, 12, 31, tzinfo=UTC)
LAST_ID, FIRST_ID = UUID(int=2**128 - 1), UUID(int=0)


class Portion(NamedTuple):
    """Lines, the operations that they name, and where to go on (`None`: the class is done)."""

    lines: Sequence[str]
    operations: set[str]
    following: Mapping[str, Any] | None


class Portions:
    """Reads the next portion of an export, in the transaction that is given."""

    def __init__(self, names: Names) -> None:
        self._names = names

    async def of(
        self, connection: Session, tenant_id: str, export: Any, position: Mapping[str, Any]
    ) -> Portion:
        """The portion that stands at a position."""
        one = CLASSES[position.get("stage", 0)]
        of = (tenant_id, export["subject"])
        if isinstance(one, Walk):
            return await _walked(connection, one, of, position)
        if isinstance(one, Follow):
            return await _followed(connection, one, of, (export["export_id"], position))
        if isinstance(one, Named):
            page = position.get("after", ""), MOST_LINES
            rows = await queries.named(connection, one, (*of, export["subject_hash"]), page)
            following = {"after": rows[-1]["key"]} if len(rows) == MOST_LINES else None
            return Portion([row["line"] for row in rows], set(), following)
        assert isinstance(one, Special)  # noqa: S101 - the only other kind
        known = from_json(export["known"])
        if one.name == "own_reviews":
            return await _reviews(connection, tenant_id, known["reviews"], position)
        return await self._letters(connection, of, known["letters"], position)

    async def _letters(
        self,
        connection: Session,
        of: tuple[str, str],
        known: Sequence[Sequence[Any]],
        position: Mapping[str, Any],
    ) -> Portion:
        """Places of letters that name the person, or were found by the name itself."""
        after = position.get("after", list(queries.BEGIN))
        rows = await queries.letters(connection, after, None, MOST_LETTERS)
        places = {tuple(one) for one in known}
        lines = [
            to_json(place_of(row)).decode()
            for row in rows
            if tuple(place_of(row)) in places or bears(row, *of, self._names)
        ]
        is_last = len(rows) < MOST_LETTERS
        return Portion(lines, set(), None if is_last else {"after": place_of(rows[-1])})


async def _walked(
    connection: Session, walk: Walk, of: tuple[str, str], position: Mapping[str, Any]
) -> Portion:
    at = datetime.fromisoformat(position["at"]) if "at" in position else BEGIN_AT
    event_id = UUID(position["id"]) if "id" in position else LAST_ID
    low = await queries.low(connection, walk.table, of[0], at, WALKED)
    rows = await queries.walked(connection, walk, of, (at, event_id, low), MOST_LINES)
    following = None
    if len(rows) == MOST_LINES:
        following = _place(rows[-1]["occurred_at"], rows[-1]["event_id"])
    elif low is not None:
        following = _place(low, FIRST_ID)
    return Portion([row["line"] for row in rows], {row["operation_id"] for row in rows}, following)


async def _followed(
    connection: Session,
    follow: Follow,
    of: tuple[str, str],
    where: tuple[UUID, Mapping[str, Any]],
) -> Portion:
    export_id, position = where
    part = position.get("part", 0)
    found = await queries.operations_of(connection, of[0], export_id, follow.of, part)
    if found is None:
        return Portion([], set(), None)
    after = position.get("after", ["", ""])
    rows = await queries.followed(connection, follow, of, found["operations"], (after, MOST_LINES))
    following: dict[str, Any] = {"part": found["seq"]}
    if len(rows) == MOST_LINES:
        last = rows[-1]
        following = {"part": part, "after": [last["operation_id"], last["key"]]}
    operations = {row["operation_id"] for row in rows if row["operation_id"]}
    return Portion([row["line"] for row in rows], operations, following)


async def _reviews(
    connection: Session,
    tenant_id: str,
    places: Sequence[Sequence[Any]],
    position: Mapping[str, Any],
) -> Portion:
    start = position.get("after", 0)
    some = places[start : start + MOST_LINES]
    rows = await queries.reviews_at(connection, tenant_id, some) if some else []
    end = start + MOST_LINES
    following = {"after": end} if end < len(places) else None
    operations = {row["operation_id"] for row in rows}
    return Portion([row["line"] for row in rows], operations, following)


def _place(at: datetime, event_id: UUID) -> dict[str, Any]:
    return {"at": at.isoformat(), "id": str(event_id)}
