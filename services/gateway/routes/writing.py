"""POST of operations, feedback and exposures."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.gateway.routes.access import allows, principal
from services.gateway.routes.bodies import json_body, or_null
from services.gateway.routes.objects import idempotency_key
from shared.topics import REGISTER, Topic

TRACE_HEADERS = ("traceparent", "tracestate")
MAX_TRACE = 512
PATHS = frozenset({"/ai/operations/log", "/ai/feedback/submit", "/ai/exposures/log"})
ACCEPTED = 202
REFUSALS = {
    400: "The body is not JSON.",
    408: "The body did not arrive in time.",
    409: "The first request with this Idempotency-Key has not finished.",
    413: "The body is too large.",
    415: "The body is of a kind that is not read here.",
    422: "No event of it keeps to the contract, or the Idempotency-Key was used for another body.",
    503: "Kafka has not acknowledged (`unavailable`: it is unknown what was stored), or too much "
    "is being taken in (`overloaded`: nothing was); come back after Retry-After.",
}


def writing_routes() -> APIRouter:
    """Routes that take events in."""
    router = APIRouter(tags=["events"])

    @router.post(
        "/ai/operations/log",
        status_code=ACCEPTED,
        summary="Log one operation or up to 500",
        **_documented("operations:write", Topic.OPERATIONS),
    )
    async def log_operations(request: Request) -> JSONResponse:
        return await _take(request, Topic.OPERATIONS)

    @router.post(
        "/ai/feedback/submit",
        status_code=ACCEPTED,
        summary="Submit feedback on an operation",
        **_documented("feedback:write", Topic.FEEDBACK),
    )
    async def submit_feedback(request: Request) -> JSONResponse:
        return await _take(request, Topic.FEEDBACK)

    @router.post(
        "/ai/exposures/log",
        status_code=ACCEPTED,
        summary="Log one exposure or up to 500, of units that were assigned by the client",
        **_documented("experiments:assign", Topic.EXPOSURES),
    )
    async def log_exposures(request: Request) -> JSONResponse:
        return await _take(request, Topic.EXPOSURES)

    return router


async def _take(request: Request, kind: Topic) -> JSONResponse:
    gate = request.app.state.gate
    with gate.entered(principal(request).tenant_id) as bring:
        body = await json_body(request, bring)
        with gate.storing(len(body)):
            return await _take_in(request, kind, body)


async def _take_in(request: Request, kind: Topic, body: bytes) -> JSONResponse:
    trace = trace_of(request)
    intake, tenant_id = request.app.state.intake, principal(request).tenant_id
    key = idempotency_key(request)
    answer = await request.app.state.once(
        tenant_id, kind.value, key, body, lambda: intake.take(kind, body, tenant_id, trace)
    )
    return JSONResponse(answer, ACCEPTED)


def trace_of(request: Request) -> dict[str, str]:
    """The caller's trace, which the events carry on."""
    return {
        name: request.headers[name][:MAX_TRACE] for name in TRACE_HEADERS if name in request.headers
    }


def _documented(permission: str, kind: Topic) -> dict[str, Any]:
    """The route's permission, and the body it reads itself."""
    schema = REGISTER[kind].event.model_json_schema()
    filled_in = ("event_id", "occurred_at", "tenant_id")
    schema["required"] = [name for name in schema["required"] if name not in filled_in]
    schema["properties"]["tenant_id"] = {"description": "Not read: the credential's counts."}
    schema = or_null(schema)
    body = {"anyOf": [schema, {"type": "array", "items": schema}]}
    declared = allows(permission)
    declared["openapi_extra"] |= {
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}}
    }
    declared["responses"] = {status: {"description": what} for status, what in REFUSALS.items()}
    return declared
