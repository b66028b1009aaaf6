"""The OpenAPI document: what every route has in common is said here, once.

FastAPI writes down what a route declares; how any of them may refuse, and in what words, follows
from what is around them all.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from fastapi import FastAPI

from services.gateway.domain.depth import MOST_DEPTH, MOST_PARTS
from services.gateway.domain.intake import MAX_EVENTS
from services.gateway.domain.otlp.decoding import MAX_UNPACKED
from services.gateway.routes.bodies import ARRIVES_WITHIN_S, MAX_BODY
from services.gateway.routes.bounds import MOST_HEAD, MOST_HEADERS, MOST_PATH, MOST_QUERY
from services.gateway.routes.objects import KEY
from services.gateway.routes.otlp_answers import LOGS, TRACES
from services.gateway.routes.otlp_answers import PATHS as OTLP
from services.gateway.routes.writing import PATHS as WRITES
from shared.events.base import MAX_EVENT_BYTES

Document = dict[str, Any]

PROBLEM_TYPE: Final = "application/problem+json"
PROBLEM: Final[Document] = {
    "title": "Problem",
    "description": "RFC 9457. `type` is stable; some have members of their own besides.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "request_id"],
    "properties": {
        "type": {"type": "string", "examples": ["/problems/invalid"]},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "request_id": {"type": "string", "description": "As in X-Request-Id; our log knows it."},
        "dependency": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "message"],
                "properties": {
                    "index": {"type": "integer"},
                    "pointer": {"type": "string"},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
    },
}
STATUS: Final[Document] = {
    "title": "google.rpc.Status",
    "type": "object",
    "required": ["code", "message"],
    "properties": {
        "code": {"type": "integer"},
        "message": {"type": "string"},
        "details": {"type": "array", "items": {"type": "object"}},
    },
}
ANYBODY: Final = {
    431: "The headers are too many or too large.",
    500: "Something went wrong on our side; nothing else is said of it.",
    503: "Too much is under way, the answer took too long, or a store behind it is away; come back "
    "after Retry-After.",
}
ASKED: Final = {414: "The path or the query is too long.", 422: "A parameter is wrong, and named."}
KNOWN: Final = {
    401: "No valid credential.",
    403: "The credential does not permit this.",
    429: "The tenant asks more often than it may; come back after Retry-After.",
}
FOUND: Final = {404: "The tenant has no such thing."}
WITH_BODY: Final = {
    400: "The body is not JSON.",
    408: "The body did not arrive in time.",
    413: "The body is too large.",
    415: "The body is of a kind that is not read here.",
}
HEADERS: Final[Document] = {
    "X-Request-Id": {"schema": {"type": "string"}, "required": True},
}
COUNTED: Final[Document] = {
    "RateLimit": {
        "description": "What is left of the tenant's quota: `r` requests, whole again in `t` s.",
        "schema": {"type": "string"},
    },
    "RateLimit-Policy": {
        "description": "The quota: `q` requests in `w` s.",
        "schema": {"type": "string"},
    },
}
LATER: Final[Document] = {
    "Retry-After": {"schema": {"type": "string", "pattern": "^[0-9]+$"}, "required": True}
}
COME_BACK: Final = frozenset({"429", "503"})
NO_STORE: Final = frozenset({"/healthz", "/readyz", "/metrics"})
LIMITS: Final = (
    f"Limits: a body {MAX_BODY:,} bytes within {ARRIVES_WITHIN_S} s (OTLP: {MAX_UNPACKED:,} "
    f"unpacked), one event {MAX_EVENT_BYTES:,} bytes, {MAX_EVENTS} events at once, {MOST_DEPTH} "
    f"levels of JSON, {MOST_PARTS:,} objects and lists in it, a path {MOST_PATH:,} and a query "
    f"{MOST_QUERY:,} bytes, {MOST_HEADERS} headers of {MOST_HEAD:,} bytes together, 1,000 items a "
    "page. How often a tenant may ask is in `RateLimit-Policy`. Errors are "
    f"`{PROBLEM_TYPE}` (RFC 9457)."
)


def install_document(app: FastAPI) -> None:
    """Let the app answer the completed document."""
    app.description, app.openapi_version = LIMITS, "3.1.0"
    written: Callable[[], Document] = app.openapi

    def completed() -> Document:
        if app.openapi_schema is None:
            complete(written())
        return app.openapi_schema or {}

    app.openapi = completed  # type: ignore[method-assign]


def complete(document: Document) -> None:
    """Add to each operation what it shares with the others."""
    schemas = document["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas |= {"Problem": PROBLEM, "RpcStatus": STATUS}
    for path, kinds in document["paths"].items():
        for operation in kinds.values():
            _complete(path, operation)


def _complete(path: str, operation: Document) -> None:
    responses = operation["responses"]
    for status, what in _refusals(path, operation).items():
        responses.setdefault(str(status), {"description": what})
    for status, response in responses.items():
        if int(status) >= 400:
            _explain(path, response)
        headers = HEADERS | (COUNTED if "security" in operation else {})
        response["headers"] = response.get("headers", {}) | headers
        if status in COME_BACK and path not in NO_STORE:
            response["headers"] |= LATER
    if path in WRITES | {TRACES, LOGS}:
        operation.setdefault("parameters", []).append(KEY)
    operation["responses"] = dict(sorted(responses.items()))


def _refusals(path: str, operation: Document) -> Mapping[int, str]:
    said = dict(ANYBODY)
    is_asked = any(one["in"] in {"query", "path"} for one in operation.get("parameters", ()))
    if is_asked or "security" in operation:
        said |= ASKED  # parameters that nobody declared are named too
    if "security" in operation:
        said |= KNOWN
    if "{" in path:
        said |= FOUND
    if "requestBody" in operation:
        said |= WITH_BODY
    return said


def _explain(path: str, response: Document) -> None:
    """The words of a refusal; a route's own stay."""
    if path in OTLP:
        schema = {"$ref": "#/components/schemas/RpcStatus"}
        binary = {"schema": {"type": "string", "format": "binary"}}
        content = {"application/json": {"schema": schema}, "application/x-protobuf": binary}
    else:
        content = {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    is_fastapis = "HTTPValidationError" in str(response.get("content", ""))
    given = {} if is_fastapis else response.get("content", {})
    response["content"] = given | content
