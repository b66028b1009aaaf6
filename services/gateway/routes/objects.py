"""What routes of objects have in common: bodies, answers, pages, and writes that happen once."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

from fastapi import Query, Request
from fastapi.responses import Response
from pydantic import BaseModel
from pydantic_core import from_json, to_json

from services.gateway.domain.problems import Problem, wrong_field
from services.gateway.routes.access import allows, principal
from services.gateway.routes.bodies import described, json_body, parsed

CREATED, GONE = 201, 204
JSON = "application/json"
MOST_KEY = 256
REFUSALS = {
    400: "The body is not JSON.",
    401: "No valid credential.",
    403: "The credential does not permit this.",
    404: "The tenant has no such thing.",
    408: "The body did not arrive in time.",
    409: "Not as things are now, or the first request with this Idempotency-Key has not finished.",
    413: "The body is too large.",
    415: "The body is of a kind that is not read here.",
    422: "A field is wrong, and named; or the Idempotency-Key was used for another body.",
    503: "A store behind this answer is away; come back after Retry-After.",
}
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": MOST_KEY},
    "description": "A repeat with the same key and body within 24 h gets the first answer.",
}
Text = Annotated[str | None, Query(max_length=128)]

M = TypeVar("M", bound=BaseModel)


def writes(
    permission: str, model: type[BaseModel] | None = None, *, may_be_empty: bool = False
) -> dict[str, Any]:
    """Arguments of a route that changes something; `model` is its body, if there is one."""
    declared = allows(permission)
    declared["openapi_extra"] |= {"parameters": [KEY]}
    declared["responses"] = {status: {"description": what} for status, what in REFUSALS.items()}
    if model is not None:
        declared["openapi_extra"] |= {
            "requestBody": described(model) | {"required": not may_be_empty}
        }
    return declared


async def written(
    request: Request,
    model: type[M],
    do: Callable[[M], Awaitable[Any]],
    status: int = 200,
    *,
    may_be_empty: bool = False,
) -> Response:
    """Read the body, do what it asks for, once per Idempotency-Key, and answer what came of it."""
    body, content = await read_body(request, model, may_be_empty=may_be_empty)
    return await once(request, body, lambda: do(content), lambda _: status)


async def read_body(
    request: Request, model: type[M], *, may_be_empty: bool = False
) -> tuple[bytes, M]:
    """A body, and the object that it is."""
    body = await json_body(request, lambda _: None)
    if not body and not may_be_empty:
        # A file that was not found, more likely than the wish to set everything to its default.
        raise Problem("bad-request", "The body is empty; send a JSON object.")
    return body, parsed(body, model)


async def once(
    request: Request,
    body: bytes,
    do: Callable[[], Awaitable[Any]],
    status: Callable[[dict[str, Any]], int] = lambda _: 200,
) -> Response:
    """Do something once per Idempotency-Key, and answer what came of it."""

    async def as_json() -> dict[str, Any]:
        found: dict[str, Any] = from_json(to_json(await do()))
        return found

    key = idempotency_key(request)
    what = f"{request.method} {request.url.path}"
    tenant_id = principal(request).tenant_id
    said = b"\0".join((request.url.query.encode(), body)) if request.url.query else body
    made = await request.app.state.once(tenant_id, what, key, said, as_json, needs_memory=True)
    return answer(made, status(made))


async def removed(request: Request, do: Callable[[], Awaitable[Any]]) -> Response:
    """Remove something once per Idempotency-Key; a repeat is answered as the first time."""

    async def nothing() -> dict[str, Any]:
        await do()
        return {}

    await once(request, b"", nothing)
    return Response(status_code=GONE)


def idempotency_key(request: Request) -> str | None:
    """What a caller names a write, if it does."""
    key = request.headers.get("idempotency-key")
    if key is not None and not 0 < len(key) <= MOST_KEY:
        raise wrong_field("Idempotency-Key", f"must have 1 to {MOST_KEY} characters")
    return key


def actor(request: Request) -> str:
    """Who did it."""
    return principal(request).actor


def example(content: Any, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI shows as an answer."""
    return {status: {"content": {JSON: {"example": content}}}}


def answer(content: Any, status: int = 200) -> Response:
    """JSON."""
    return Response(to_json(content), status, media_type=JSON)
