"""Bugs of abtest: events that count again, and verdicts that are told again."""

from collections.abc import Sequence
from typing import Any

from services.abtest.queries import events
from services.abtest.store import batches, results
from tests.faults.mutants.register import mutant


@mutant
def sums_added_again() -> None:
    """Whatever is read counts, also what is there already."""

    async def insert(connection: Any, rows: Sequence[Any]) -> set[Any]:
        await original(connection, rows)
        return set()  # nothing was there before

    original = events.insert
    events.insert = insert


@mutant
def feedback_not_awaited() -> None:
    """Feedback that came before its operation is forgotten."""

    async def nothing(*_: Any) -> list[Any]:
        return []

    batches.waiting.insert = nothing  # type: ignore[attr-defined, assignment]


@mutant
def step_apart_from_results() -> None:
    """Two transactions: first the step, then the results that it follows from."""
    pool: list[Any] = []
    begun = results.PostgresResults.__init__

    def init(self: Any, given: Any) -> None:
        pool.append(given)
        begun(self, given)

    async def taken(self: Any, step: Any, _: str | None) -> None:
        self.has_step = True
        async with pool[0].acquire() as connection:
            await results.queries.insert_step(connection, self.state.tenant_id, step)

    results.PostgresResults.__init__ = init  # type: ignore[method-assign]
    results.PostgresLook.take = taken  # type: ignore[method-assign]
