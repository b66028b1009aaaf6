"""Which variant a unit gets: asked plainly, or by the OpenFeature Remote Evaluation Protocol."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.gateway.domain.assigning import AssignableTests, AssignmentView
from services.gateway.domain.ofrep import (
    OfrepBody,
    OfrepError,
    OfrepFailure,
    OfrepFlag,
    OfrepFlags,
    is_known,
)
from services.gateway.domain.problems import Problem
from services.gateway.domain.quotas import Kind
from services.gateway.routes.access import allows, principal
from services.gateway.routes.bodies import described, json_body, parsed
from services.gateway.routes.objects import JSON, answer

NOT_MODIFIED = 304
BAD = 400
AWAY: dict[int | str, dict[str, Any]] = {
    503: {
        "description": "It is not known here, and Postgres, which may know it, is away; come back "
        "after Retry-After."
    }
}
Unit = Annotated[str | None, Query()]
Expose = Annotated[bool, Query(description="Whether the unit counts as having been shown it.")]


def assignment_routes() -> APIRouter:
    """Routes that answer from memory."""
    router = APIRouter(tags=["experiments"])

    @router.get(
        "/ai/ab-tests/{test_id}/assignment",
        response_model=AssignmentView,
        responses=AWAY,
        summary="The variant of a unit; the same for ever for the same unit",
        **allows("experiments:assign"),
    )
    async def assignment(
        request: Request,
        test_id: UUID,
        user_id: Unit = None,
        session_id: Unit = None,
        unit_id: Unit = None,
        expose: Expose = True,
    ) -> Response:
        units = {"user_id": user_id, "session_id": session_id, "unit_id": unit_id}
        tenant_id = principal(request).tenant_id
        assigning = request.app.state.assigning
        return answer(await assigning.assignment(tenant_id, test_id, units, expose=expose))

    @router.get(
        "/ai/assignable-tests",
        response_model=AssignableTests,
        responses={NOT_MODIFIED: {"description": "As the ETag says."}, **AWAY},
        summary="A/B tests that have begun, for clients that assign by themselves",
        **allows("experiments:assign"),
    )
    async def assignable(request: Request) -> Response:
        tenant_id = principal(request).tenant_id
        return _tagged(request, *await request.app.state.assigning.assignable(tenant_id))

    _ofrep_routes(router)
    return router


def _ofrep_routes(router: APIRouter) -> None:
    @router.post(
        "/ofrep/v1/evaluate/flags/{key}",
        response_model=OfrepFlag,
        response_model_exclude_none=True,
        summary="OFREP: evaluate one A/B test as a flag",
        **_ofrep({BAD: OfrepFailure, 404: OfrepFailure}),
    )
    async def flag(request: Request, key: str, expose: Expose = True) -> Response:
        tenant_id = principal(request).tenant_id
        try:
            context = await _context(request)
            assigning = request.app.state.assigning
            return answer(await assigning.flag(tenant_id, key, context, expose=expose))
        except OfrepError as error:
            return answer(error.body(key), error.status)

    @router.post(
        "/ofrep/v1/evaluate/flags",
        response_model=OfrepFlags,
        response_model_exclude_none=True,
        summary="OFREP: evaluate all A/B tests as flags; nobody counts as having seen them",
        **_ofrep({BAD: OfrepFailure, NOT_MODIFIED: None}),
    )
    async def flags(request: Request) -> Response:
        tenant_id = principal(request).tenant_id
        try:
            context = await _context(request)
            content, tag = await request.app.state.assigning.flags(tenant_id, context)
        except OfrepError as error:
            return answer(error.body(None), error.status)
        return _tagged(request, content, tag)


def _tagged(request: Request, content: bytes, tag: str) -> Response:
    """An answer, unless the caller has it already."""
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if is_known(tag, request.headers.get("if-none-match")):
        return Response(status_code=NOT_MODIFIED, headers=headers)
    return Response(content, headers=headers, media_type=JSON)


async def _context(request: Request) -> dict[str, Any]:
    body = await json_body(request, lambda _: None)
    try:
        return parsed(body, OfrepBody).context
    except Problem as error:
        code = "PARSE_ERROR" if error.slug == "bad-request" else "INVALID_CONTEXT"
        raise OfrepError(BAD, code, error.detail) from error


def _ofrep(responses: dict[int, Any]) -> dict[str, Any]:
    declared = allows("experiments:assign", Kind.READS)
    declared["openapi_extra"] |= {"requestBody": described(OfrepBody)}
    what = {BAD: "What is wrong.", 404: "No such flag.", NOT_MODIFIED: "As the ETag says."}
    declared["responses"] = {
        status: {"description": what[status], **({"model": model} if model else {})}
        for status, model in responses.items()
    }
    declared["responses"] |= {
        422: {"description": "A query parameter is wrong."},
        **AWAY,
    }
    return declared
