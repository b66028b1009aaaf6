"""How long what is kept."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.gateway.domain.retention import EXAMPLE, RetentionRequest, RetentionView
from services.gateway.routes.access import allows, principal
from services.gateway.routes.objects import actor, answer, example, writes, written

PATH = "/ai/privacy/retention"
SHOWN = {**EXAMPLE, "held_until": None, "updated_at": None, "updated_by": None}


def retention_routes() -> APIRouter:
    """Routes of retention."""
    router = APIRouter(tags=["privacy"])
    declared = writes("privacy:admin", RetentionRequest)
    declared["responses"] |= example(SHOWN)

    @router.get(
        PATH,
        response_model=RetentionView,
        summary="How long each class of data is kept",
        responses=example(SHOWN),
        **allows("privacy:admin"),
    )
    async def retention(request: Request) -> Response:
        return answer(await request.app.state.retention.of(principal(request).tenant_id))

    @router.put(
        PATH,
        response_model=RetentionView,
        summary="Say how long each class of data is kept; what is left out is as Assay has it",
        **declared,
    )
    async def put(request: Request) -> Response:
        async def do(asked: RetentionRequest) -> Any:
            tenant_id, who = principal(request).tenant_id, actor(request)
            return await request.app.state.retention.put(tenant_id, asked.days(), who)

        return await written(request, RetentionRequest, do)

    return router
