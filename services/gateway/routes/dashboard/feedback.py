"""What people say: sums, trends, advice, and the words themselves."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.gateway.domain.analysis.asked import By
from services.gateway.domain.dashboard.feedback import judged, said, trend_chart
from services.gateway.domain.feedback import feedback_view
from services.gateway.domain.quotas import Kind
from services.gateway.routes.access import principal
from services.gateway.routes.dashboard.choices import EMPTY, PageLimit, Words
from services.gateway.routes.dashboard.showing import show, shows
from services.gateway.routes.paging import At, next_cursor, page_after
from services.gateway.service.analysing import Filters

Label = Annotated[Literal["negative", "neutral", "positive", "none"] | None, EMPTY, Query()]
GROUPINGS = ("model", "aspect", "agent", "version", "source")


def feedback_pages() -> APIRouter:
    """Pages of feedback."""
    router = APIRouter(include_in_schema=False)
    _parts(router)

    @router.get("/feedback", **shows("feedback:read", Kind.HEAVY))
    async def summary(request: Request, by: By = "model", model_id: Words = None) -> Response:
        analysing, tenant_id = request.app.state.analysing, principal(request).tenant_id
        found = await analysing.summary(tenant_id, by, Filters(model_id=model_id))
        groups = [(one, said(one)) for one in found["items"]]
        return show(
            request,
            "feedback.html",
            found=found,
            total=said(found["total"]),
            groups=groups,
            groupings=GROUPINGS,
            model_id=model_id,
        )

    @router.get("/feedback/said", **shows("feedback:read"))
    async def words(
        request: Request,
        model_id: Words = None,
        label: Label = None,
        limit: PageLimit = 50,
        cursor: At = None,
    ) -> Response:
        filters = {"model_id": model_id, "label": label, "has_comment": None}
        after, tenant_id = page_after(request, cursor), principal(request).tenant_id
        rows = await request.app.state.training.feedback(tenant_id, filters, after, limit + 1)
        following = next_cursor(request, rows, limit, "occurred_at", "event_id")
        found = [feedback_view(row) for row in rows[:limit]]
        return show(request, "said.html", said=found, following=following, asked=filters)

    return router


def _parts(router: APIRouter) -> None:
    @router.get("/feedback/trends", **shows("feedback:read", Kind.HEAVY))
    async def trends(request: Request, model_id: Words = None) -> Response:
        analysing, tenant_id = request.app.state.analysing, principal(request).tenant_id
        found = await analysing.trends(tenant_id, Filters(model_id=model_id), refresh=False)
        drawn = [trend_chart(name, one) for name, one in found["metrics"].items()]
        return show(request, "charts.html", charts=drawn)

    @router.get("/feedback/advice", **shows("feedback:read", Kind.HEAVY))
    async def advice(request: Request, model_id: Words = None) -> Response:
        analysing, tenant_id = request.app.state.analysing, principal(request).tenant_id
        asked = Filters(model_id=model_id)
        found = await analysing.recommendations(tenant_id, asked, refresh=False)
        themes = [(one, judged(one["share"], "share")) for one in found["themes"]["items"]]
        return show(request, "advice.html", found=found, themes=themes)
