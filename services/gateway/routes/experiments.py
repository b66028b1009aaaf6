"""A/B tests: their configuration and their lives."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from services.gateway.domain.alerts import NameTakenError
from services.gateway.domain.experiments import (
    Changes,
    ExperimentsPage,
    ExperimentView,
    Note,
    WholeExperiment,
    kept_test,
    test_view,
)
from services.gateway.domain.histories import HistoryAnswer, history_view
from services.gateway.domain.planning import PlanAnswer, PlanRequest
from services.gateway.domain.problems import Problem, wrong_field
from services.gateway.domain.quotas import Kind
from services.gateway.routes.access import allows, principal
from services.gateway.routes.bodies import described, json_body, parsed
from services.gateway.routes.objects import (
    CREATED,
    REFUSALS,
    actor,
    answer,
    writes,
    written,
)
from services.gateway.routes.paging import At, Limit, next_cursor, page_after
from services.gateway.routes.querying import Instant
from services.gateway.service.experimenting import no_test
from shared.experiments.config import ExperimentConfig
from shared.experiments.lifecycle import Action, State
from shared.experiments.metrics import MetricName
from shared.experiments.results import ResultsAnswer

ALL = "/ai/ab-tests"
ONE = "/ai/ab-tests/{test_id}"
States = Annotated[
    list[State] | None,
    Query(max_length=len(State), description="Those in this state; of several, in any of them."),
]
OfMetric = Annotated[
    MetricName | None,
    Query(description="This metric only; none is told of one that the test does not have."),
]
Since = Annotated[Instant | None, Query(description="Looks from this time on (`at`).")]
STEPS = {
    Action.START: "Start a draft, or let a paused test go on",
    Action.PAUSE: "Pause a test: everybody gets the control until it goes on",
    Action.STOP: "Stop a test for good",
}


def experiment_routes() -> APIRouter:
    """Routes of A/B tests."""
    router = APIRouter(tags=["experiments"])
    _reading_routes(router)
    _reckoned_routes(router)
    _writing_routes(router)
    for action in STEPS:
        _step_route(router, action)
    return router


def _reading_routes(router: APIRouter) -> None:
    @router.get(
        ALL,
        response_model=ExperimentsPage,
        summary="A/B tests, newest first",
        **allows("experiments:read"),
    )
    async def tests(
        request: Request, state: States = None, limit: Limit = 50, cursor: At = None
    ) -> Response:
        after = page_after(request, cursor)
        tenant_id, states = principal(request).tenant_id, list(state or ())
        rows = await request.app.state.experiments.tests(tenant_id, states, after, limit + 1)
        following = next_cursor(request, rows, limit, "created_at", "test_id")
        items = [test_view(kept_test(row)) for row in rows[:limit]]
        return answer({"items": items, "next_cursor": following})

    @router.get(
        ONE,
        response_model=WholeExperiment,
        summary="One A/B test with its epochs and history",
        **allows("experiments:read"),
    )
    async def test(request: Request, test_id: UUID) -> Response:
        found = await request.app.state.experiments.test(principal(request).tenant_id, test_id)
        if found is None:
            raise no_test(test_id)
        kept, steps = found
        return answer(test_view(kept) | {"history": [dict(step) for step in steps]})


def _reckoned_routes(router: APIRouter) -> None:
    @router.get(
        f"{ONE}/results",
        response_model=ResultsAnswer,
        summary="What an A/B test says by now, and what to do about it",
        **allows("experiments:read"),
    )
    async def results(request: Request, test_id: UUID) -> Response:
        tenant_id = principal(request).tenant_id
        return answer(await request.app.state.planning.results(tenant_id, test_id))

    @router.get(
        f"{ONE}/history",
        response_model=HistoryAnswer,
        summary="What an A/B test's results said over time",
        **allows("experiments:read"),
    )
    async def history(
        request: Request, test_id: UUID, metric: OfMetric = None, since: Since = None
    ) -> Response:
        tenant_id = principal(request).tenant_id
        found = await request.app.state.experiments.history(tenant_id, test_id, metric, since)
        if found is None:
            raise no_test(test_id)
        kept, rows = found
        return answer(history_view(kept, rows, metric, since))

    @router.post(
        f"{ALL}/plan",
        response_model=PlanAnswer,
        summary="How many units a test needs, how long that takes, and what it sees by week",
        **_asks(PlanRequest),
    )
    async def plan(request: Request) -> Response:
        body = await json_body(request, lambda _: None)
        if not body:
            raise Problem("bad-request", "The body is empty; send a JSON object.")
        asked = parsed(body, PlanRequest)
        tenant_id = principal(request).tenant_id
        return answer(await request.app.state.planning.plan(tenant_id, asked))


def _writing_routes(router: APIRouter) -> None:
    @router.post(
        ALL,
        status_code=CREATED,
        response_model=ExperimentView,
        summary="Make an A/B test, as a draft",
        **writes("experiments:write", ExperimentConfig),
    )
    async def add(request: Request) -> Response:
        async def do(config: ExperimentConfig) -> Any:
            tenant_id, who = principal(request).tenant_id, actor(request)
            try:
                return await request.app.state.experimenting.add(tenant_id, config, who)
            except NameTakenError as error:
                raise _taken() from error

        return await written(request, ExperimentConfig, do, CREATED)

    @router.patch(
        ONE,
        response_model=ExperimentView,
        summary="Rewrite a draft; of a test that has begun: traffic, weights, name, hypothesis, "
        "auto_pause, auto_conclude",
        **_changes(),
    )
    async def change(request: Request, test_id: UUID) -> Response:
        async def do(changes: Changes) -> Any:
            tenant_id, who = principal(request).tenant_id, actor(request)
            try:
                return await request.app.state.experimenting.change(
                    tenant_id, test_id, changes, who
                )
            except NameTakenError as error:
                raise _taken() from error

        return await written(request, Changes, do)


def _step_route(router: APIRouter, action: Action) -> None:
    @router.post(
        f"{ONE}/{action.value}",
        name=action.value,
        response_model=ExperimentView,
        summary=STEPS[action],
        **writes("experiments:write", Note, may_be_empty=True),
    )
    async def take(request: Request, test_id: UUID) -> Response:
        async def do(said: Note) -> Any:
            tenant_id, who = principal(request).tenant_id, actor(request)
            return await request.app.state.experimenting.act(
                tenant_id, test_id, action, said.note, who
            )

        return await written(request, Note, do, may_be_empty=True)


def _asks(model: type[BaseModel]) -> dict[str, Any]:
    """Declared as a question with a body: nothing is changed by it."""
    declared = allows("experiments:read", Kind.HEAVY)
    declared["openapi_extra"] |= {"requestBody": described(model)}
    declared["responses"] = {status: {"description": what} for status, what in REFUSALS.items()}
    return declared


def _changes() -> dict[str, Any]:
    """Declared as a configuration of which every member may be left out."""
    declared = writes("experiments:write", ExperimentConfig)
    content = declared["openapi_extra"]["requestBody"]["content"]
    content["application/json"]["schema"].pop("required")
    return declared


def _taken() -> Exception:
    return wrong_field("key", "another test has this key, perhaps one that ended; choose another")
