"""What an erased person did not want to be trained on: the last word counts, in whatever order."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from services.feedback.domain.making import REFUSED, row_id
from services.feedback.queries import erasing as queries
from services.feedback.store import erasing
from services.feedback.store.erasing import PostgresErasing
from shared.clock import utc_now
from shared.ids import new_id

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SAID = {
    UUID(int=1): ("op-1", False),
    UUID(int=2): ("op-1", None),
    UUID(int=3): ("op-2", False),
    UUID(int=4): ("op-2", True),
    UUID(int=5): ("op-3", True),
    UUID(int=6): ("op-3", False),
}
"""Operation and consent by feedback, oldest first."""


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is kept out, by a store that holds all that was said."""
    found: list[Any] = []

    async def take(_: Any, __: str, events: list[UUID], ___: Any) -> list[dict[str, Any]]:
        return [
            {"operation_id": SAID[one][0], "consent": SAID[one][1], "correction": None}
            | {"occurred_at": NOON + timedelta(seconds=one.int)}
            for one in events
        ]

    async def refuse(_: Any, __: str, operations: list[Any]) -> None:
        found.extend(operations)

    async def nothing(*_: Any) -> bool:
        return False

    monkeypatch.setattr(queries, "take_said", take)
    monkeypatch.setattr(queries, "refuse", refuse)
    monkeypatch.setattr(queries, "is_freezing", nothing)
    monkeypatch.setattr(erasing.making, "note", nothing)
    monkeypatch.setattr(erasing.due, "note", nothing)
    return found


@pytest.mark.parametrize("order", list(permutations(SAID))[::97])
async def test_the_last_word_counts(refused: list[Any], order: tuple[UUID, ...]) -> None:
    notes = [
        {"due_id": one.int, "what": "event", "event_id": one}
        | {"erasure_id": UUID(int=9), "erased_before": NOON}
        for one in order
    ]
    worked = await PostgresErasing(new_id, utc_now).noted(None, "acme", notes)  # type: ignore[arg-type]
    assert sorted(worked.done) == [1, 2, 3, 4, 5, 6]
    assert worked.removed == {UUID(int=9): 6}
    kept_out = [(one, row_id("acme", one, REFUSED)) for one in ("op-1", "op-3")]
    assert sorted(refused) == kept_out
