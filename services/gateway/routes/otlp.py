"""OTLP over HTTP: what OpenTelemetry's exporters send, taken in as our events."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces

from services.gateway.domain.otlp.decoding import Encoding, unpacked
from services.gateway.domain.otlp.judging import Judged
from services.gateway.domain.problems import Problem
from services.gateway.routes.access import allows, principal
from services.gateway.routes.bodies import encoding_of, media_type, whole_body
from services.gateway.routes.objects import idempotency_key
from services.gateway.routes.otlp_answers import LOGS, METRICS, TRACES, answered
from services.gateway.routes.writing import trace_of

PACKED = ("gzip", "x-gzip")
SPANS, RECORDS = "rejected_spans", "rejected_log_records"
REFUSALS = {
    400: "The body is no such message of OTLP; do not send it again.",
    408: "The body did not arrive in time.",
    413: "The body is too large, packed or unpacked, or holds too many spans; send fewer.",
    415: "Neither protobuf nor JSON, or packed otherwise than by gzip.",
    503: "Kafka has not acknowledged, or too much is being taken in; send the same again after "
    "Retry-After: what was stored already is counted once.",
}
Take = Callable[[bytes, Encoding, str, Mapping[str, str]], Awaitable[Judged]]


def otlp_routes() -> APIRouter:
    """Routes for exporters."""
    router = APIRouter(tags=["otlp"])

    @router.post(
        TRACES,
        summary="Spans of OpenTelemetry: those of GenAI become operations, evaluations feedback",
        **_documented(traces.ExportTraceServiceResponse),
    )
    async def take_traces(request: Request) -> Response:
        told = await _take(request, request.app.state.telemetry.traces)
        return answered(request, _partly(traces.ExportTraceServiceResponse, SPANS, told))

    @router.post(
        LOGS,
        summary="Log records of OpenTelemetry: evaluations become feedback",
        **_documented(logs.ExportLogsServiceResponse),
    )
    async def take_logs(request: Request) -> Response:
        told = await _take(request, request.app.state.telemetry.logs)
        return answered(request, _partly(logs.ExportLogsServiceResponse, RECORDS, told))

    @router.post(
        METRICS,
        summary="Metrics of OpenTelemetry: answered, so that no exporter complains, and not kept",
        **_documented(metrics.ExportMetricsServiceResponse, needs_body=False),
    )
    async def drop_metrics(request: Request) -> Response:
        _encoding(request)
        with request.app.state.gate.entered(principal(request).tenant_id) as bring:
            await whole_body(request, bring)
        return answered(request, metrics.ExportMetricsServiceResponse())

    return router


async def _take(request: Request, take: Take) -> dict[str, Any]:
    """How many were rejected, and why; a repeat with the same Idempotency-Key is told the same."""
    gate, encoding, packing = request.app.state.gate, _encoding(request), encoding_of(request)
    if packing not in (*PACKED, "identity", ""):
        detail = f"Send the body as it is or packed by gzip, not {packing[:64]!r}."
        raise Problem("unsupported-media-type", detail)
    tenant_id, key = principal(request).tenant_id, idempotency_key(request)
    with gate.entered(tenant_id) as bring:
        body = await whole_body(request, bring)
        if packing in PACKED:
            body = unpacked(body, bring)

        async def do() -> dict[str, Any]:
            judged = await take(body, encoding, tenant_id, trace_of(request))
            return {"rejected": judged.rejected, "message": judged.message}

        with gate.storing(len(body)):
            told: dict[str, Any] = await request.app.state.once(
                tenant_id, request.url.path, key, body, do
            )
        return told


def _partly(response: type[Message], counted_as: str, told: dict[str, Any]) -> Message:
    """OTLP's answer: empty when all is well."""
    if not (told["rejected"] or told["message"]):
        return response()
    partial = {counted_as: told["rejected"], "error_message": told["message"]}
    return response(partial_success=partial)


def _encoding(request: Request) -> Encoding:
    kind = media_type(request)
    try:
        return Encoding(kind)
    except ValueError as error:
        known = " or ".join(Encoding)
        detail = f"Send {known}, not {kind[:64]!r}."
        raise Problem("unsupported-media-type", detail) from error


def _documented(response: type[Message], *, needs_body: bool = True) -> dict[str, Any]:
    """The route's permission, and what is sent and answered in OTLP's own words."""
    declared = allows("operations:write")
    name = response.DESCRIPTOR.full_name.removesuffix("Response")
    schema = {"type": "object", "description": f"{name}Request of OTLP, ids in hex."}
    binary = {"type": "string", "format": "binary", "description": f"{name}Request of OTLP."}
    # Of what is dropped, nothing is read.
    content = {
        Encoding.JSON: {"schema": schema if needs_body else {}},
        Encoding.PROTOBUF: {"schema": binary},
    }
    declared["openapi_extra"] |= {"requestBody": {"required": needs_body, "content": content}}
    taken = f"{name}Response in the request's encoding: empty, or with `partialSuccess`."
    declared["responses"] = {
        200: {"description": taken},
        **{
            status: {"description": f"google.rpc.Status: {what}"}
            for status, what in REFUSALS.items()
        },
    }
    return declared
