"""The limits that health is judged by: a tenant's, and those of its models."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.gateway.domain.limits import LimitsAnswer, ModelLimitsAnswer
from services.gateway.routes.access import allows, principal
from services.gateway.routes.health import ModelId
from services.gateway.routes.objects import GONE, actor, answer, removed, writes, written
from shared.health.limits import OF_TENANT, HealthLimits

OF_ALL = "/ai/health-limits"
OF_ONE = "/ai/models/{model_id:path}/health-limits"


def limits_routes() -> APIRouter:
    """Routes of limits."""
    router = APIRouter(tags=["metrics"])
    _tenant_routes(router)
    _model_routes(router)
    return router


def _tenant_routes(router: APIRouter) -> None:
    @router.get(
        OF_ALL,
        response_model=LimitsAnswer,
        summary="The limits of all models that have none of their own",
        **allows("metrics:read"),
    )
    async def limits(request: Request) -> Response:
        return await _shown(request, OF_TENANT)

    @router.put(
        OF_ALL,
        response_model=LimitsAnswer,
        summary="Set limits for all models; what is left out is as Assay has it",
        **writes("alerts:write", HealthLimits),
    )
    async def put(request: Request) -> Response:
        return await _put(request, OF_TENANT)

    @router.delete(
        OF_ALL,
        status_code=GONE,
        summary="Forget the limits for all models; Assay's own hold again",
        **writes("alerts:write"),
    )
    async def remove(request: Request) -> Response:
        return await _removed(request, OF_TENANT)


def _model_routes(router: APIRouter) -> None:
    @router.get(
        OF_ONE,
        response_model=ModelLimitsAnswer,
        summary="The limits of a model",
        **allows("metrics:read"),
    )
    async def model_limits(request: Request, model_id: ModelId) -> Response:
        return await _shown(request, model_id)

    @router.put(
        OF_ONE,
        response_model=ModelLimitsAnswer,
        summary="Set limits for a model, also ahead of its first operation; the rest is inherited",
        **writes("alerts:write", HealthLimits),
    )
    async def put_model(request: Request, model_id: ModelId) -> Response:
        return await _put(request, model_id)

    @router.delete(
        OF_ONE,
        status_code=GONE,
        summary="Forget the limits of a model; it inherits all again",
        **writes("alerts:write"),
    )
    async def remove_model(request: Request, model_id: ModelId) -> Response:
        return await _removed(request, model_id)


async def _shown(request: Request, model_id: str) -> Response:
    return answer(await request.app.state.limits.of(principal(request).tenant_id, model_id))


async def _put(request: Request, model_id: str) -> Response:
    async def do(given: HealthLimits) -> Any:
        tenant_id, who = principal(request).tenant_id, actor(request)
        return await request.app.state.limits.put(tenant_id, model_id, given, who)

    return await written(request, HealthLimits, do)


async def _removed(request: Request, model_id: str) -> Response:
    async def do() -> None:
        await request.app.state.limits.remove(principal(request).tenant_id, model_id)

    return await removed(request, do)
