"""Plans A/B tests: the numbers are reckoned elsewhere, and what a known test says is filled in."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol
from uuid import UUID

from pydantic import ValidationError
from pydantic_core import to_json

from services.gateway.domain.experiments import Seen
from services.gateway.domain.planning import PlanRequest, from_test, plan_view, question
from services.gateway.domain.problems import Problem, wrong_field
from services.gateway.domain.refusals import refused
from services.gateway.domain.results import results_view
from services.gateway.service.experimenting import no_test
from shared.clock import Clock

Ask = Callable[[str], Awaitable[dict[str, Any]]]
"""A question to whoever reckons, as JSON, and the answer."""


class Store(Protocol):
    """Where tests and their results are."""

    async def seen(self, tenant_id: str, of: UUID | str) -> Seen | None:
        """A test by its id or key."""


class Planning:
    """What a test will need, and what it has found."""

    def __init__(self, store: Store, ask: Ask, now: Clock) -> None:
        self._store = store
        self._ask = ask
        self._now = now

    async def plan(self, tenant_id: str, asked: PlanRequest) -> dict[str, Any]:
        """The answer of POST /ai/ab-tests/plan."""
        whole = await self._completed(tenant_id, asked)
        found = await self._ask(to_json(question(whole)).decode())
        return plan_view(whole, found)

    async def results(self, tenant_id: str, test_id: UUID) -> dict[str, Any]:
        """The answer of GET …/results."""
        seen = await self._store.seen(tenant_id, test_id)
        if seen is None:
            raise no_test(test_id)
        return results_view(seen, self._now())

    async def _completed(self, tenant_id: str, asked: PlanRequest) -> PlanRequest:
        if asked.test_id is not None and asked.key is not None:
            raise wrong_field("key", "names a test, and test_id another; give one of the two")
        of = asked.test_id or asked.key
        if of is None:
            return asked
        seen = await self._store.seen(tenant_id, of)
        if seen is None:
            raise no_test(of) if isinstance(of, UUID) else _no_key(of)
        try:
            return from_test(seen, asked)
        except ValidationError as error:
            raise refused(error, PlanRequest) from error


def _no_key(key: str) -> Problem:
    return Problem("not-found", f"There is no A/B test with the key {key!r}.")
