"""How exporters are answered: in the encoding they wrote in; failures as `google.rpc.Status`."""

from collections.abc import Mapping
from typing import Final

from fastapi import Request
from fastapi.responses import Response
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

from services.gateway.domain.otlp.decoding import Encoding
from services.gateway.domain.problems import Problem
from services.gateway.routes.bodies import media_type

TRACES, LOGS, METRICS = "/v1/traces", "/v1/logs", "/v1/metrics"
PATHS: Final = frozenset({TRACES, LOGS, METRICS})
DOMAIN: Final = "assay"
CODES: Final[Mapping[str, int]] = {
    "unauthenticated": code_pb2.UNAUTHENTICATED,
    "forbidden": code_pb2.PERMISSION_DENIED,
    "method-not-allowed": code_pb2.UNIMPLEMENTED,
    "timeout": code_pb2.DEADLINE_EXCEEDED,
    "idempotency-in-flight": code_pb2.ABORTED,
    "overloaded": code_pb2.RESOURCE_EXHAUSTED,
    "too-many-requests": code_pb2.RESOURCE_EXHAUSTED,
    "too-slow": code_pb2.UNAVAILABLE,
    "unavailable": code_pb2.UNAVAILABLE,
    "internal": code_pb2.INTERNAL,
}
"""gRPC's codes of our problems; of all others the request is at fault."""


def answered(
    request: Request, said: Message, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A message in the request's encoding; in JSON where that is neither."""
    if media_type(request) == Encoding.PROTOBUF:
        content: str | bytes = said.SerializeToString()
        return Response(content, status, headers=headers, media_type=Encoding.PROTOBUF)
    content = MessageToJson(said, indent=None)
    return Response(content, status, headers=headers, media_type=Encoding.JSON)


def refused(request: Request, problem: Problem) -> Response:
    """A problem in OTLP's words; its slug is the reason in the details."""
    said = status_pb2.Status(
        code=CODES.get(problem.slug, code_pb2.INVALID_ARGUMENT),
        message=f"{problem.title}: {problem.detail}",
    )
    reason = error_details_pb2.ErrorInfo(reason=problem.slug, domain=DOMAIN)
    said.details.add().Pack(reason)
    return answered(request, said, problem.status, problem.headers)
