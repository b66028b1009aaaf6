"""Marks that are known are those that are there, also after a standby took over."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from pydantic_core import to_json

from shared.privacy.known import KnownMarks
from shared.privacy.names import Names

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NAMES = Names(b"a secret of tests, long enough")


class Table:
    """`erased_subjects`, as far as it is asked."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.reads = 0

    def mark(self, seq: int, user: str) -> None:
        """One more person."""
        digest = NAMES.digest("acme", "user_id", user)
        self.rows.append(
            {
                "seq": seq,
                "tenant_id": "acme",
                "names": to_json({"user_id": digest}).decode(),
                "erased_from": None,
                "erased_before": NOON,
                "erasure_id": uuid4(),
            }
        )

    async def fetchrow(self, _: str) -> tuple[int, UUID] | None:
        if not self.rows:
            return None
        last = max(self.rows, key=lambda row: int(row["seq"]))
        return last["seq"], last["erasure_id"]

    async def fetchval(self, _: str, seq: int, erasure_id: UUID) -> bool:
        return any((row["seq"], row["erasure_id"]) == (seq, erasure_id) for row in self.rows)

    async def fetch(self, _: str, after: int) -> Sequence[Any]:
        self.reads += 1
        return [Row(row) for row in self.rows if row["seq"] > after]


class Row(dict[str, Any]):
    """By name, and in order."""

    def __iter__(self) -> Any:
        return iter(self.values())


async def knows(known: KnownMarks, table: Table, user: str) -> bool:
    marks = await known.of(table)  # type: ignore[arg-type]
    return marks.fit("acme", NOON.replace(hour=11), {"user_id": user}) is not None


async def test_new_marks_are_read_once() -> None:
    known, table = KnownMarks(NAMES), Table()
    assert not await knows(known, table, "anna")
    table.mark(1, "anna")
    assert await knows(known, table, "anna")
    reads = table.reads
    assert not await knows(known, table, "bob")
    assert table.reads == reads
    table.mark(2, "bob")
    assert await knows(known, table, "bob")
    assert await knows(known, table, "anna")


async def test_a_mark_that_bears_the_number_of_one_that_was_lost_is_read() -> None:
    known, table = KnownMarks(NAMES), Table()
    table.mark(1, "anna")
    table.mark(2, "bob")
    assert await knows(known, table, "bob")
    table.rows.pop()  # a standby that had not got it takes over
    table.mark(2, "carl")
    assert await knows(known, table, "carl")
    assert await knows(known, table, "anna")
    assert not await knows(known, table, "bob")


async def test_a_lost_mark_without_a_successor_is_forgotten() -> None:
    known, table = KnownMarks(NAMES), Table()
    table.mark(1, "anna")
    assert await knows(known, table, "anna")
    table.rows.clear()
    assert not await knows(known, table, "anna")
