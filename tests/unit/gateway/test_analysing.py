"""What feedback says in sum holds also where part of it cannot be reckoned."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic_core import from_json

from services.gateway.domain.analysis.asked import Asked
from services.gateway.domain.analysis.sums import Group
from services.gateway.domain.analysis.themes import NOT_FOUND
from services.gateway.domain.problems import AwayError, Problem
from services.gateway.service.analysing import Analysing, Filters
from tests.unit.gateway.analysis.votes import NOON, group, judged

DAY = timedelta(days=1)
UNKNOWN = {"direction": "unknown", "points": 0}
UNKNOWN |= dict.fromkeys(("slope", "low", "high", "p_value"))


class Store:
    """Complaints of one model, and two weeks that differ."""

    def __init__(self) -> None:
        self.asked: list[tuple[Sequence[str], Asked]] = []

    async def summed(self, *_: Any) -> Any:
        raise AssertionError("nobody asks for a summary here")

    async def groups(
        self, _: str, by: Sequence[str], asked: Asked, border: datetime | None = None
    ) -> list[list[Group]]:
        self.asked.append((by, asked))
        if border is None:
            return [[] for _ in by]
        people = [f"p{n}" for n in range(40)]
        weeks = [
            group(name, accurate=judged((one, value) for one in people))
            for name, value in (("before", 1), ("after", 0))
        ]
        return [weeks]

    async def complaints(self, *_: Any) -> Any:
        names = ("model_id", "person", "operation_id", "comment")
        return True, [
            dict(zip(names, ("m", f"p{n}", f"op-{n}", "outdated"), strict=True)) for n in range(5)
        ]

    async def circumstances(self, *_: Any) -> Any:
        waiting = {"feedback": 0, "operations": 0, "late": 0, "oldest_at": None}
        return {}, waiting


@pytest.mark.parametrize("error", [AwayError("reckoning"), Problem("conflict", "IndexError")])
async def test_themes_that_cannot_be_found_leave_all_other_advice(error: Exception) -> None:
    async def fails(_: str) -> dict[str, Any]:
        raise error

    analysing = Analysing(Store(), fails, lambda: NOON, 300)
    found = await analysing.recommendations("acme", Filters(), refresh=False)
    assert found["themes"]["reason"] == NOT_FOUND
    assert found["themes"]["items"] == []
    assert found["themes"]["comments_read"] == 5
    assert "No advice" in found["reason"]


@pytest.mark.parametrize(("days", "compares"), [(13, False), (14, True), (30, True)])
async def test_weeks_outside_the_asked_span_are_not_compared(days: int, compares: bool) -> None:
    async def ask(question: str) -> dict[str, Any]:
        return {"trends": [UNKNOWN for _ in from_json(question)["series"]]}

    store = Store()
    filters = Filters(NOON - days * DAY, NOON)
    found = await Analysing(store, ask, lambda: NOON, 300).trends("acme", filters, refresh=False)
    assert all(asked.start >= filters.start for _, asked in store.asked)
    change = found["metrics"]["accurate"]["change"]
    assert (change["difference"] is not None) == compares
    assert (change["before"]["value"] is not None) == compares
