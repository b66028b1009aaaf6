"""A/B tests: the list, and one with what it says by now."""

from typing import Final, get_args
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.gateway.domain.dashboard.experiments import (
    STEPS,
    WIDTH,
    compared,
    days_left,
    variants,
)
from services.gateway.domain.dashboard.histories import history_charts
from services.gateway.domain.experiments import kept_test, test_view
from services.gateway.domain.histories import history_view
from services.gateway.domain.planning import PlanRequest
from services.gateway.domain.quotas import Kind
from services.gateway.routes.access import principal
from services.gateway.routes.bodies import parsed
from services.gateway.routes.dashboard.choices import PageLimit
from services.gateway.routes.dashboard.showing import show, shows
from services.gateway.routes.paging import At, next_cursor, page_after
from services.gateway.service.experimenting import no_test
from shared.experiments.metrics import MetricName, Role

METRICS: Final = [(name, name) for name in get_args(MetricName)]
ROLES: Final = [(name, name) for name in get_args(Role)]


def experiment_pages() -> APIRouter:
    """Pages of A/B tests."""
    router = APIRouter(include_in_schema=False)

    @router.get("/experiments", **shows("experiments:read"))
    async def tests(request: Request, limit: PageLimit = 50, cursor: At = None) -> Response:
        after, tenant_id = page_after(request, cursor), principal(request).tenant_id
        rows = await request.app.state.experiments.tests(tenant_id, [], after, limit + 1)
        following = next_cursor(request, rows, limit, "created_at", "test_id")
        found = [test_view(kept_test(row)) for row in rows[:limit]]
        return show(request, "experiments.html", tests=found, following=following)

    @router.get("/experiments/new", **shows("experiments:write"))
    async def new(request: Request) -> Response:
        return show(request, "experiment_new.html", metrics=METRICS, roles=ROLES)

    @router.get("/experiments/plan", **shows("experiments:read", Kind.HEAVY))
    async def plan(request: Request, asked: str) -> Response:
        wanted = parsed(asked.encode(), PlanRequest)
        found = await request.app.state.planning.plan(principal(request).tenant_id, wanted)
        return show(request, "plan.html", plan=found)

    # After the other two, whose paths it would take.
    @router.get("/experiments/{test_id}", **shows("experiments:read"))
    async def test(request: Request, test_id: UUID) -> Response:
        tenant_id, state = principal(request).tenant_id, request.app.state
        found = await state.experiments.test(tenant_id, test_id)
        if found is None:
            raise no_test(test_id)
        results = await state.planning.results(tenant_id, test_id)
        return show(
            request,
            "experiment.html",
            test=test_view(found[0]),
            history=[dict(step) for step in found[1]],
            results=results,
            comparisons=[compared(one) for one in results["comparisons"]],
            variants=variants(results),
            days_left=days_left(results["days_left"]),
            steps=STEPS.get(found[0].state, ()),
            width=WIDTH,
        )

    _charts_part(router)
    return router


def _charts_part(router: APIRouter) -> None:
    @router.get("/experiments/{test_id}/charts", **shows("experiments:read"))
    async def charts(request: Request, test_id: UUID) -> Response:
        tenant_id, state = principal(request).tenant_id, request.app.state
        found = await state.experiments.history(tenant_id, test_id, None, None)
        if found is None:
            raise no_test(test_id)
        test, rows = found
        history = history_view(test, rows, None, None)
        return show(
            request,
            "experiment_charts.html",
            charts=history_charts(history),
            is_hidden=history["hidden"],
            least_units=test.config.min_units_per_variant,
        )
