"""GET of what feedback says in sum: summary, trends, and advice."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from services.gateway.domain.analysis.answers import (
    FeedbackTrends,
    Recommendations,
    SummaryAnswer,
)
from services.gateway.domain.analysis.asked import By, Source
from services.gateway.domain.analysis.examples import ADVICE, SUMMARY, TRENDS
from services.gateway.domain.quotas import Kind
from services.gateway.routes.access import allows, principal
from services.gateway.routes.objects import Text, answer, example
from services.gateway.routes.querying import Instant
from services.gateway.service.analysing import Filters

Start = Annotated[
    Instant | None, Query(alias="from", description="By default 30 days ago; at most 90.")
]
Refresh = Annotated[bool, Query(description="Reckon it anew.")]


def _filters(  # noqa: PLR0913, PLR0917 - one parameter per query parameter
    start: Start = None,
    end: Annotated[Instant | None, Query(alias="to")] = None,
    model_id: Text = None,
    agent_id: Text = None,
    environment: Text = None,
    operation_type: Text = None,
    source: Source | None = None,
) -> Filters:
    return Filters(start, end, model_id, agent_id, environment, operation_type, source)


Asked = Annotated[Filters, Depends(_filters)]


def analysis_routes() -> APIRouter:
    """Routes of feedback in sum."""
    router = APIRouter(tags=["feedback"])

    @router.get(
        "/ai/feedback/summary",
        response_model=SummaryAnswer,
        summary="What feedback says of models, aspects, agents, versions or sources",
        responses=example(SUMMARY),
        **allows("feedback:read", Kind.HEAVY),
    )
    async def summary(request: Request, asked: Asked, by: By = "model") -> Response:
        analysing, tenant_id = request.app.state.analysing, principal(request).tenant_id
        return answer(await analysing.summary(tenant_id, by, asked))

    @router.get(
        "/ai/feedback/trends",
        response_model=FeedbackTrends,
        summary="How feedback moves day by day, and this week against the last",
        responses=example(TRENDS),
        **allows("feedback:read", Kind.HEAVY),
    )
    async def trends(request: Request, asked: Asked, refresh: Refresh = False) -> Response:
        analysing, tenant_id = request.app.state.analysing, principal(request).tenant_id
        return answer(await analysing.trends(tenant_id, asked, refresh=refresh))

    @router.get(
        "/ai/feedback/recommendations",
        response_model=Recommendations,
        summary="Advice from feedback, ranked, with evidence; themes of negative comments",
        responses=example(ADVICE),
        **allows("feedback:read", Kind.HEAVY),
    )
    async def recommendations(request: Request, asked: Asked, refresh: Refresh = False) -> Response:
        analysing, tenant_id = request.app.state.analysing, principal(request).tenant_id
        return answer(await analysing.recommendations(tenant_id, asked, refresh=refresh))

    return router
