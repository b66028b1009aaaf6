"""Read a request's body within its limits."""

from fastapi import Request

from services.gateway.domain.problems import Problem

MAX_BODY = 1024 * 1024
JSON_TYPES = ("application/json",)


async def json_body(request: Request) -> bytes:
    """The body of a JSON request; 413 and 415 as soon as they are certain."""
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip()
    if kind.lower() not in JSON_TYPES:
        raise Problem("unsupported-media-type", f"Send application/json, not {kind[:64]!r}.")
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding != "identity":
        raise Problem("unsupported-media-type", "Send the body without Content-Encoding here.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise Problem("too-large", f"A body has at most {MAX_BODY} bytes; send fewer events.")
    return bytes(body)
